-- Has the operator look at Astra at once.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["astra.datastax.com/reconcile-requested-at"] = os.date("!%Y-%m-%dT%XZ")
return obj

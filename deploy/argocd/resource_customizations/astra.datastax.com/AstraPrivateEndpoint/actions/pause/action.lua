-- Leaves what is in Astra alone, whatever is declared, until it is resumed.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["astra.datastax.com/paused"] = "true"
return obj

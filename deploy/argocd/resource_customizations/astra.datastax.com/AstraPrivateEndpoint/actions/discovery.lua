-- What can be done with an object: have it looked at, leave it alone, go on with it.
local paused = false
if obj.metadata.annotations ~= nil then
  paused = obj.metadata.annotations["astra.datastax.com/paused"] == "true"
end
return {
  ["reconcile"] = { ["disabled"] = paused },
  ["pause"] = { ["disabled"] = paused },
  ["resume"] = { ["disabled"] = not paused },
}

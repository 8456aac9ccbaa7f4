-- Goes on after a pause.
if obj.metadata.annotations ~= nil then
  obj.metadata.annotations["astra.datastax.com/paused"] = nil
end
return obj

-- The health of an object of astra-operator, by the rules of kstatus, so that Argo CD says what Flux and Helm say:
-- waiting is Progressing, what a person must change is Degraded. Only a pause has a state of its own here.
local health = { status = "Progressing", message = "The operator has not looked at it yet" }
local status = obj.status
if status == nil then
  return health
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local function holds(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

if holds("Paused") then
  health.status = "Suspended"
  health.message = conditions["Paused"].message
  return health
end
if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  if status.observedGeneration ~= -1 then
    health.message = "The operator has not looked at the latest change yet"
  end
  return health
end
if holds("Stalled") then
  health.status = "Degraded"
  health.message = conditions["Stalled"].message
  return health
end
if holds("Reconciling") then
  health.message = conditions["Reconciling"].message
  return health
end
if conditions["Ready"] ~= nil then
  health.message = conditions["Ready"].message
  if holds("Ready") then
    health.status = "Healthy"
  end
end
return health

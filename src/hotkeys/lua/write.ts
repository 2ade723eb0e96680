import { REVISIONS_KEPT } from '../check-write.js';
import { WRITE_ID_LENGTH } from './fields.js';

/**
 * KEYS: state, then the keys of the values.
 * ARGV: 1 prefix of the generation's keys, 2 lane, 3 expected epoch (empty = no state),
 * 4 expected write id of the lane (empty = never written), 5 epoch of a new state, 6 id of this
 * write, 7 version, 8 vector, 9 written at, 10 '1' = complete, 11 lifetime of the state in ms;
 * then for each value its lifetime in ms (0 = remove) and its text.
 * Answers 1 where it wrote or renewed, 0 where the state is not the expected one.
 *
 * Comparing comes before the first write, and the first write is one that Redis refuses when it
 * is out of memory: either all of it is done or nothing.
 */
export const WRITE_LUA = `
local state, prefix, lane = KEYS[1], ARGV[1], ARGV[2]
local version, written_at = ARGV[7], ARGV[9]
local complete = ARGV[10] == '1'
local FIRST = 12

local stored = redis.call('HMGET', state, 'epoch', lane .. '_write_id', lane .. '_version')
if (stored[1] or '') ~= ARGV[3] or (stored[2] or '') ~= ARGV[4] then return 0 end
if stored[3] and tonumber(stored[3]) > tonumber(version) then return 0 end

local given, set, remove, renew = {}, {}, {}, {}
for i = 2, #KEYS do
  local key, at = KEYS[i], FIRST + (i - 2) * 2
  local listed = redis.call('HEXISTS', state, 'key:' .. string.sub(key, #prefix + 1)) == 1
  given[key] = true
  if ARGV[at] == '0' then
    if listed then remove[#remove + 1] = key end
  elseif not listed or redis.call('GET', key) ~= ARGV[at + 1] then
    set[#set + 1] = { key, ARGV[at], ARGV[at + 1] }
  else
    renew[#renew + 1] = { key, ARGV[at] }
  end
end
local fields = redis.call('HGETALL', state)
for i = 1, #fields, 2 do
  local key = prefix .. string.sub(fields[i], 5)
  if string.sub(fields[i], 1, 4) == 'key:' and not given[key] then
    local of_lane, ttl = string.match(fields[i + 1], '^(%a+) .* (%d+)$')
    if of_lane == lane and complete then remove[#remove + 1] = key
    elseif of_lane == lane then renew[#renew + 1] = { key, ttl } end
  end
end

redis.call('HSET', state, lane .. '_vector', ARGV[8], lane .. '_written_at_ms', written_at)
redis.call('PEXPIRE', state, ARGV[11])
for _, entry in ipairs(renew) do redis.call('PEXPIRE', entry[1], entry[2]) end
if #set == 0 and #remove == 0 and stored[3] == version then return 1 end

if not stored[1] then redis.call('HSET', state, 'epoch', ARGV[5]) end
local revision = redis.call('HINCRBY', state, 'revision', 1)
local revision_text = string.format('%.0f', revision)
local history = ARGV[6] .. (redis.call('HGET', state, 'history') or '')
redis.call('HSET', state, lane .. '_version', version, lane .. '_write_id', ARGV[6],
  'write_id', ARGV[6], 'history', string.sub(history, 1, ${REVISIONS_KEPT * WRITE_ID_LENGTH}))

for _, entry in ipairs(set) do
  redis.call('SET', entry[1], entry[3], 'PX', entry[2])
  redis.call('HSET', state, 'key:' .. string.sub(entry[1], #prefix + 1), table.concat(
    { lane, revision_text, version, written_at, entry[2] }, ' '))
end
local removed = {}
local earlier = redis.call('HGET', state, 'removed')
if earlier then
  for _, entry in ipairs(cjson.decode(earlier)) do
    if entry[1] > revision - ${REVISIONS_KEPT} then removed[#removed + 1] = entry end
  end
end
for _, key in ipairs(remove) do
  local name = string.sub(key, #prefix + 1)
  redis.call('DEL', key)
  redis.call('HDEL', state, 'key:' .. name)
  removed[#removed + 1] = { revision, name }
end
if #removed > 0 then redis.call('HSET', state, 'removed', cjson.encode(removed))
elseif earlier then redis.call('HDEL', state, 'removed') end
return 1
`;

import { STATE_FIELDS, WRITE_ID_LENGTH } from './fields.js';
import { LISTED_LUA } from './listed.js';

/**
 * KEYS: state. ARGV: prefix of the generation's keys; epoch, revision and write id of the
 * reader's position, empty where it has none.
 * Answers nil for a loss, else the state's fields in the order of STATE_FIELDS, 1 where everything
 * follows or 0 where only changes do, names with their values, and names that were removed.
 */
export const READ_LUA = `${LISTED_LUA}
local state, prefix = KEYS[1], ARGV[1]
local names, revisions = listed(state, prefix)
if not names then return false end

local head = redis.call('HMGET', state, ${STATE_FIELDS.map((field) => `'${field}'`).join(', ')})
local since = -1
if head[1] == ARGV[2] then
  local behind = tonumber(head[2]) - tonumber(ARGV[3])
  local history = redis.call('HGET', state, 'history')
  local start = behind * ${WRITE_ID_LENGTH} + 1
  if behind >= 0 and string.sub(history, start, start + ${WRITE_ID_LENGTH - 1}) == ARGV[4] then
    since = tonumber(ARGV[3])
  end
end

local changed, keys = {}, {}
for i = 1, #names do
  if revisions[i] > since then
    changed[#changed + 1] = names[i]
    keys[#keys + 1] = prefix .. names[i]
  end
end
local pairs_found = {}
for i = 1, #keys, CHUNK do
  local values = redis.call('MGET', unpack(keys, i, math.min(i + CHUNK - 1, #keys)))
  for j = 1, #values do
    if not values[j] then return false end
    pairs_found[#pairs_found + 1] = changed[i + j - 1]
    pairs_found[#pairs_found + 1] = values[j]
  end
end

local removed = {}
local stored = since >= 0 and redis.call('HGET', state, 'removed')
if stored then
  for _, entry in ipairs(cjson.decode(stored)) do
    if entry[1] > since then removed[#removed + 1] = entry[2] end
  end
end
return { head, since < 0 and 1 or 0, pairs_found, removed }
`;

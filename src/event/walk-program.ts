import type { Type, types } from 'avsc';

/**
 * A writer's schema as a program for the walk (walk.ts): what stands in the bytes, in order. Each
 * record type is one routine that ends by `end`; a record within another is a call, so the program
 * is no longer than the schema, and a record may hold itself. Numbers in a flat array, because the
 * walk runs for every event: over a tree of nodes it took half as long again.
 */
export interface WalkProgram {
  code: Int32Array;
  /** Field name by the address of an instruction; none for items, values and entries. */
  names: ReadonlyMap<number, string>;
}

/** Instructions with their operands. */
export const OP = {
  /** Return from the routine. */
  end: 0,
  int: 1,
  long: 2,
  boolean: 3,
  /** A length, then as many bytes: text or bytes. */
  sized: 4,
  /** bytes */
  skip: 5,
  /** number of symbols */
  enum: 6,
  /** number of branches, address of each */
  union: 7,
  /** address */
  jump: 8,
  /** address of a routine */
  call: 9,
  /** fewest bytes of an item, address of the item's routine */
  array: 10,
  /** fewest bytes of an entry, address of the value's routine */
  map: 11,
} as const;

/** A schema that cannot be walked within bounds, and why. */
export interface Unwalkable {
  refused: string;
}

/**
 * The program of a schema, or why the schema is refused:
 * - What takes no bytes may stand only as a branch of a union (whose index is a byte): a count of
 *   millions of such items would cost work without end and no bytes at all.
 * - A field may not bear a name that every JavaScript object has, such as `toString`: avsc looks
 *   its fields up in plain objects and would read what follows such a field from the wrong place.
 */
export function compileWalk(type: Type): WalkProgram | Unwalkable {
  const compiler = new Compiler();
  compiler.compile(type);
  if (compiler.refused !== null) return { refused: compiler.refused };
  return { code: Int32Array.from(compiler.code), names: compiler.names };
}

class Compiler {
  readonly code: number[] = [];
  readonly names = new Map<number, string>();
  refused: string | null = null;
  readonly #least = new Map<Type, number>();
  /** Address of each routine, and the operands that wait for the address of one. */
  readonly #routines = new Map<Type, number>();
  readonly #waiting: { operand: number; type: Type }[] = [];

  compile(type: Type): void {
    this.#routine(type);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.code[next.operand] = this.#routines.get(next.type) ?? this.#routine(next.type);
    }
  }

  #routine(type: Type): number {
    const address = this.code.length;
    this.#routines.set(type, address);
    if (isRecord(type)) {
      for (const field of type.fields) {
        if (field.name in Object.prototype) this.#refuse(`a field by the name ${field.name}`);
        this.#refuseEmpty(field.type, `the field ${field.name}`);
        this.#value(field.type, field.name);
      }
    } else {
      this.#value(type, '');
    }
    this.code.push(OP.end);
    return address;
  }

  #value(type: Type, name: string): void {
    if (name !== '') this.names.set(this.code.length, name);
    switch (type.typeName) {
      case 'int':
        this.#emit(OP.int);
        break;
      case 'long':
        this.#emit(OP.long);
        break;
      case 'boolean':
        this.#emit(OP.boolean);
        break;
      case 'string':
      case 'bytes':
        this.#emit(OP.sized);
        break;
      case 'enum':
        this.#emit(OP.enum, (type as types.EnumType).symbols.length);
        break;
      case 'union:unwrapped':
      case 'union:wrapped':
        this.#union(branchesOf(type), name);
        break;
      case 'array':
        this.#blocks(OP.array, (type as types.ArrayType).itemsType, 0);
        break;
      case 'map':
        // An entry has its key's length at least.
        this.#blocks(OP.map, (type as types.MapType).valuesType as Type, 1);
        break;
      case 'record':
      case 'error':
        this.#emit(OP.call);
        this.#addressOf(type);
        break;
      default:
        this.#emit(OP.skip, this.#leastBytes(type));
        break;
    }
  }

  #union(branches: Type[], name: string): void {
    this.#emit(OP.union, branches.length);
    const table = this.code.length;
    this.#emit(...branches.map(() => 0));
    /** Operands that wait for the address after the union. */
    const leaving: number[] = [];
    branches.forEach((branch, index) => {
      if (branch.typeName === 'null') {
        leaving.push(table + index);
        return;
      }
      if (this.code.length > table + branches.length) {
        this.#emit(OP.jump, 0);
        leaving.push(this.code.length - 1);
      }
      this.code[table + index] = this.code.length;
      this.#value(branch, name);
    });
    for (const operand of leaving) this.code[operand] = this.code.length;
  }

  #blocks(op: number, item: Type, keyBytes: number): void {
    this.#refuseEmpty(item, 'an item');
    this.#emit(op, keyBytes + this.#leastBytes(item));
    this.#addressOf(item);
  }

  /** An operand: where the routine of `type` begins, as soon as that is known. */
  #addressOf(type: Type): void {
    this.#waiting.push({ operand: this.code.length, type });
    this.#emit(0);
  }

  #emit(...words: number[]): void {
    this.code.push(...words);
  }

  #refuseEmpty(type: Type, what: string): void {
    if (this.#leastBytes(type) === 0) this.#refuse(`${what} that takes no bytes`);
  }

  #refuse(reason: string): void {
    this.refused ??= reason;
  }

  /** Fewest bytes of a value. A record within itself counts as none, which is not too many. */
  #leastBytes(type: Type): number {
    const known = this.#least.get(type);
    if (known !== undefined) return known;
    this.#least.set(type, 0);
    const least = this.#leastBytesOf(type);
    this.#least.set(type, least);
    return least;
  }

  #leastBytesOf(type: Type): number {
    switch (type.typeName) {
      case 'null':
        return 0;
      case 'float':
        return 4;
      case 'double':
        return 8;
      case 'fixed':
        return (type as types.FixedType).size;
      case 'record':
      case 'error':
        return (type as types.RecordType).fields.reduce(
          (sum, field) => sum + this.#leastBytes(field.type),
          0,
        );
      case 'union:unwrapped':
      case 'union:wrapped':
        return 1 + Math.min(...branchesOf(type).map((branch) => this.#leastBytes(branch)));
      default:
        // A number, a length or the end of the blocks: one byte.
        return 1;
    }
  }
}

function isRecord(type: Type): type is types.RecordType {
  return type.typeName === 'record' || type.typeName === 'error';
}

function branchesOf(type: Type): Type[] {
  return (type as types.UnwrappedUnionType).types;
}

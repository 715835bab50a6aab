/** A layer of a model with the number of its outputs and inputs. */
export interface Layer {
  /** Its name in the U-Net, as diffusers has it. */
  name: string;
  n_out: number;
  n_in: number;
}

/** A LoRA file of rank 1, in PEFT's form, with changes of either sign: what is the same everywhere is normalised away. */
export function writeLora(layers: Layer[], change: number): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let begin = 0;
  const add = (name: string, shape: [number, number], value: (at: number) => number) => {
    const numbers = Float32Array.from({ length: shape[0] * shape[1] }, (_, at) => value(at));
    const bytes = Buffer.from(numbers.buffer);
    header[name] = { dtype: "F32", shape, data_offsets: [begin, begin + bytes.length] };
    begin += bytes.length;
    parts.push(bytes);
  };
  for (const { name, n_out, n_in } of layers) {
    add(`unet.${name}.lora_A.weight`, [1, n_in], (at) => change * (((at * 7) % 5) - 2));
    add(`unet.${name}.lora_B.weight`, [n_out, 1], (at) => ((at * 3) % 4) - 1.5);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

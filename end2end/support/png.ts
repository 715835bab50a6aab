import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** What a PNG holds. */
export interface Png {
  width: number;
  height: number;
  /** Text chunks by keyword. */
  text: Map<string, string>;
  /** Every row, unfiltered no further than zlib: as many bytes as the header promises. */
  rows: Buffer;
}

/**
 * Reads a PNG and throws at anything that a strict reader would not take: a wrong checksum, chunks out of
 * order, fewer pixels than promised, bytes after the end.
 */
export function readPng(file: Buffer): Png {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error("no PNG signature");
  const text = new Map<string, string>();
  const data: Buffer[] = [];
  let header: Buffer | undefined;
  let hasEnded = false;
  for (let at = 8; at < file.length; ) {
    if (hasEnded) throw new Error("bytes after IEND");
    const length = file.readUInt32BE(at);
    const kind = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (file.readUInt32BE(at + 8 + length) !== crc32(file.subarray(at + 4, at + 8 + length))) {
      throw new Error(`the checksum of ${kind} is wrong`);
    }
    if ((kind === "IHDR") !== (at === 8)) throw new Error("IHDR has to be the first chunk, once");
    if (kind === "IHDR") header = body;
    if (kind === "IDAT") data.push(body);
    if (kind === "tEXt") text.set(...latin1Text(body));
    if (kind === "iTXt") text.set(...internationalText(body));
    if (kind === "IEND") hasEnded = true;
    at += 12 + length;
  }
  if (!header || !hasEnded) throw new Error("IHDR or IEND is missing");
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const bytesPerPixel = (header.readUInt8(8) / 8) * (CHANNELS[header.readUInt8(9)] ?? Number.NaN);
  const rows = inflateSync(Buffer.concat(data));
  if (rows.length !== height * (1 + width * bytesPerPixel)) {
    throw new Error(`${rows.length} bytes of pixels do not fill ${width} by ${height}`);
  }
  return { width, height, text, rows };
}

/** Makes a PNG of which every pixel is what `colour` says of its place: red, green, blue. */
export function writePng(
  width: number,
  height: number,
  colour: (x: number, y: number) => [number, number, number],
): Buffer {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(colour(x, y), y * (1 + 3 * width) + 1 + 3 * x);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

function chunk(kind: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  crc.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, crc]);
}

function latin1Text(body: Buffer): [string, string] {
  const end = body.indexOf(0);
  return [body.toString("latin1", 0, end), body.toString("latin1", end + 1)];
}

function internationalText(body: Buffer): [string, string] {
  const end = body.indexOf(0);
  const isCompressed = body[end + 1] === 1;
  const endOfLanguage = body.indexOf(0, end + 3);
  const endOfTranslation = body.indexOf(0, endOfLanguage + 1);
  const value = body.subarray(endOfTranslation + 1);
  return [body.toString("latin1", 0, end), (isCompressed ? inflateSync(value) : value).toString("utf8")];
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

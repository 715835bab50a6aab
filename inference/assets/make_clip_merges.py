"""Writes clip_merges.bin: the byte pairs of OpenAI's CLIP, each as two token ids.

    python inference/assets/make_clip_merges.py bpe_simple_vocab_16e6.txt.gz

The list is a file of the PyPI package open_clip_torch (and of OpenAI's CLIP); see NOTICE. Token ids need half the room
of the text, and no decompression.
"""

import gzip
import pathlib
import struct
import sys

N_MERGES = 49_152 - 256 - 2


def byte_letters() -> list[str]:
    """The letter that stands for each byte, in the order of the vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + i) for i in range(len(rest))]


def main(source: str) -> None:
    # The first line is the file's version, and the list goes on after the pairs that CLIP was trained with.
    lines = gzip.open(source).read().decode().split("\n")[1 : 1 + N_MERGES]
    letters = byte_letters()
    ids = {token: i for i, token in enumerate(letters + [letter + "</w>" for letter in letters])}
    pairs = bytearray()
    for line in lines:
        first, second = line.split(" ")
        pairs += struct.pack("<HH", ids[first], ids[second])
        ids[first + second] = len(ids)
    pathlib.Path(__file__).with_name("clip_merges.bin").write_bytes(pairs)


if __name__ == "__main__":
    main(sys.argv[1])

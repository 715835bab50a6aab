import type { Page } from "@playwright/test";

/** A picture of the site as its pixels: four numbers each, row by row. Read by the page, with its visitor's cookie. */
export interface Pixels {
  width: number;
  height: number;
  data: number[];
}

/** Reads a picture at an address of the site. */
export async function readPixels(page: Page, path: string): Promise<Pixels> {
  return await page.evaluate(async (path) => {
    const image = new Image();
    image.src = path;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { width, height, data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { width, height, data: [...data] };
  }, path);
}

/** How bright a pixel is, 0 to 255; for a grey one that is what every channel says. */
export function brightness({ width, data }: Pixels, x: number, y: number): number {
  const at = 4 * (y * width + x);
  return (data[at]! + data[at + 1]! + data[at + 2]!) / 3;
}

/** The mean difference of two pictures of the same size, 0 to 255. */
export function difference(one: Pixels, other: Pixels): number {
  let sum = 0;
  for (let at = 0; at < one.data.length; at++) sum += Math.abs(one.data[at]! - other.data[at]!);
  // Every fourth number is the opacity, which is the same.
  return sum / ((one.data.length / 4) * 3);
}

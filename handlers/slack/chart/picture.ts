import { fileURLToPath } from 'node:url';

// Its own letters: in a container there are none, and a picture must look the same everywhere.
const fonts = ['400Regular/Lato_400Regular.ttf', '700Bold/Lato_700Bold.ttf'].map((file) =>
  fileURLToPath(import.meta.resolve(`@expo-google-fonts/lato/${file}`)),
);
const font = { loadSystemFonts: false, fontFiles: fonts, defaultFontFamily: 'Lato' };

/** An SVG as a PNG, twice as large so that it is sharp on a phone. Drawn off the event loop. */
export async function pngOf(svg: string): Promise<Buffer> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const drawn = await renderAsync(svg, { font, fitTo: { mode: 'zoom', value: 2 } });
  return drawn.asPng();
}

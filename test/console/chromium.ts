import { type Browser, chromium } from 'playwright-core';

/** The system's Chromium, without a window. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

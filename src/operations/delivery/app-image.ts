import { appEntry } from '../../core/apps.ts';
import { Fault } from '../../core/errors.ts';
import { imageOfApp, repositoryIn } from '../../core/image.ts';
import { type JsonObject, text } from '../../core/json.ts';
import type { Settings } from '../../core/settings.ts';
import { mainContainer } from './app-entry.ts';

/** Where what runs comes from: the app's own repository, another that its images may come from, or none of those. */
export type Running = { of: 'own' | 'other' | 'none'; repository: string };

function allows(app: string, homes: Parameters<typeof imageOfApp>[1], image: string): boolean {
  try {
    imageOfApp(app, homes, { image });
    return true;
  } catch (thrown) {
    if (thrown instanceof Fault) return false;
    throw thrown;
  }
}

/** What an app's workload runs: by a tag alone another image may be meant. Undefined where its image can't be read. */
export function runningOf(settings: Settings, app: string, template: JsonObject): Running | undefined {
  const its = appEntry(settings, app)?.its;
  const { main } = mainContainer(template, [its?.container ?? its?.workload ?? app]);
  const repository = repositoryIn(text(main.image));
  if (!its || repository === undefined) return undefined;
  if (repository === its.image) return { of: 'own', repository };
  return { of: allows(app, its, repository) ? 'other' : 'none', repository };
}

export namespace Settings {
  const values = new Map<string, string>();

  export function read(key: string): string {
    return values.get(key) ?? Defaults.load();
  }

  export class Defaults {
    static load(): string {
      return fallback;
    }
  }

  const fallback = 'none';
}

declare global {
  interface Window {
    settings: typeof Settings;
  }
}

export function format(value: number): string;
export function format(value: Date): string;
export function format(value: number | Date): string {
  return typeof value === 'number' ? formatNumber(value) : formatDate(value);
}

function formatNumber(value: number): string {
  return value.toFixed(2);
}

function formatDate(value: Date): string {
  return value.toISOString();
}

export class Printer {
  print(value: string): void;
  print(value: number): void;
  print(value: string | number): void {
    this.write(typeof value === 'number' ? format(value) : value);
  }

  private write(text: string): void {
    out(text);
  }
}

declare function out(text: string): void;

export interface Reader {
  read(): string;
  read(size: number): string;
}

export const readAll = (reader: Reader, format: (text: string) => string): string => format(reader.read(10));

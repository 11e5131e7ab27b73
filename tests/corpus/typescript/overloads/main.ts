import { format, Printer, readAll, type Reader } from './format';

class FileReader implements Reader {
  read(size?: number): string {
    return size ? this.chunk(size) : 'all';
  }

  private chunk(size: number): string {
    return format(size);
  }
}

const printer = new Printer();
printer.print(readAll(new FileReader(), (text) => text));
printer.print(format(new Date(0)));

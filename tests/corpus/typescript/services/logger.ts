class Logger {
  constructor(private readonly prefix: string) {}

  info(text: string): void {
    process.stdout.write(this.line(text));
  }

  child(name: string): Logger {
    return new Logger(`${this.prefix}.${name}`);
  }

  private line(text: string): string {
    return `${this.prefix} ${text}\n`;
  }
}

const root = new Logger('app');
export default root;

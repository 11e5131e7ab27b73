package core;

import java.util.ArrayDeque;
import java.util.Deque;

public class Log {
    private static final Deque<Entry> ENTRIES = new ArrayDeque<>();

    static class Entry {
        final String text;

        Entry(String text) {
            this.text = text;
        }

        String line() {
            return text + "\n";
        }
    }

    public static void write(int number, String text) {
        write(number + " " + text);
    }

    private static void write(String text) {
        ENTRIES.push(new Entry(text));
    }

    public static String last() {
        Entry entry = ENTRIES.peek();
        return entry == null ? "" : entry.line();
    }
}

package org.svc;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

interface Store<K, V> extends AutoCloseable {
    V load(K key);

    void save(K key, V value);

    @Override
    void close();

    static <K extends Comparable<K>, V> Store<K, V> inMemory() {
        return new Memory<>();
    }

    class Memory<K extends Comparable<K>, V> implements Store<K, V> {
        private final Map<K, V> held = new TreeMap<>();

        @Override
        public V load(K key) {
            return held.get(key);
        }

        @Override
        public void save(K key, V value) {
            held.put(key, value);
        }

        @Override
        public void close() {
            clear();
        }

        void clear() {
            held.clear();
        }

        List<K> keys() {
            return List.copyOf(held.keySet());
        }
    }
}

package people;

import java.util.Optional;

public class Person {
    private final String name;
    private Person boss;

    public Person(String name) {
        this.name = name;
    }

    public String getName() {
        return name;
    }

    public boolean leads() {
        return boss == null;
    }

    public Optional<Person> getBoss() {
        return Optional.ofNullable(boss);
    }

    public Person under(Person boss) {
        this.boss = boss;
        return this;
    }

    public static int byName(Person one, Person other) {
        return one.getName().compareTo(other.getName());
    }
}

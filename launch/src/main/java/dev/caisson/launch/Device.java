package dev.caisson.launch;

/// Device nodes that every container gets. The numbers are those of `enum device` in `native/plan.h`.
public enum Device {
    NULL(1),
    ZERO(2),
    FULL(3),
    RANDOM(4),
    URANDOM(5),
    TTY(6);

    private final int number;

    Device(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static Device of(int number) {
        for (Device value : values()) {
            if (value.number == number) {
                return value;
            }
        }
        throw new IllegalArgumentException("no device has number " + number);
    }
}

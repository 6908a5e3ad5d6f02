package dev.caisson.launch;

/// A run of host ids that one container has to itself: its ids 0, 1, … are `base`, `base` + 1, … on the host.
public record IdRange(int base, int count) {
    /// The ids of one container.
    public static final int WIDTH = 65_536;

    /// The first id of all ranges, above those that login managers, subuid(5) and systemd hand out.
    public static final int FIRST = 0x7000_0000;

    /// How many ranges there are, up to the ids that systemd keeps from 0x7ffe0000.
    public static final int RANGES = 4094;

    public IdRange {
        if (base < FIRST || count != WIDTH || (base - FIRST) % WIDTH != 0 || (base - FIRST) / WIDTH >= RANGES) {
            throw new IllegalArgumentException("not a container's id range: " + base + " + " + count);
        }
    }

    static IdRange numbered(int index) {
        return new IdRange(FIRST + index * WIDTH, WIDTH);
    }

    int index() {
        return (base - FIRST) / WIDTH;
    }

    @Override
    public String toString() {
        return "0–" + (count - 1) + " → " + base + "–" + (base + count - 1);
    }
}

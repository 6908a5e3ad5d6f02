package dev.caisson.engine;

import java.util.Arrays;
import java.util.List;

/// An obstacle of a program that failed, as its first process found it at the end: `enum obstacle` in
/// `native/plan.h`. Each names the option that lifts it.
public enum Obstacle {
    WRITABLE_LAYER_FULL(
            1,
            "its writable layer is full: give it more with --storage-opt size=SIZE,inodes=COUNT, a volume or a tmpfs"),
    SHARED_MEMORY_FULL(2, "/dev/shm is full: give it more with --shm-size"),
    SET_ID_WITHOUT_EFFECT(
            4,
            "the program is set-user-ID or set-group-ID, which has no effect under no_new_privs: run it as that user"
                    + " with --user, or use --security-opt no-new-privileges=false --allow new-privileges");

    private final int bit;
    private final String sentence;

    Obstacle(int bit, String sentence) {
        this.bit = bit;
        this.sentence = sentence;
    }

    static List<Obstacle> of(int bits) {
        return Arrays.stream(values())
                .filter(obstacle -> (bits & obstacle.bit) != 0)
                .toList();
    }

    /// Returns what it is and what lifts it.
    public String sentence() {
        return sentence;
    }
}

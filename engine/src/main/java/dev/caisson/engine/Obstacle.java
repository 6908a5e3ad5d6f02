package dev.caisson.engine;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// An obstacle of a program that failed, as its first process found it at the end: `enum obstacle` in
/// `native/plan.h`. [#SET_ID_WITHOUT_EFFECT] is also that of a program which it started. Each names the option
/// that lifts it.
public enum Obstacle {
    WRITABLE_LAYER_FULL(
            1,
            "its writable layer is full: give it more with --storage-opt size=SIZE,inodes=COUNT, a volume or a tmpfs"),
    SHARED_MEMORY_FULL(2, "/dev/shm is full: give it more with --shm-size"),
    SET_ID_WITHOUT_EFFECT(
            4,
            "the program is set-user-ID or set-group-ID, which has no effect under no_new_privs: run it as that user"
                    + " with --user, or use --security-opt no-new-privileges=false --allow new-privileges, which does not"
                    + " help in the image 'host', whose /usr is nosuid");

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

    /// Returns the same with that of programs which the container's program started.
    static List<Obstacle> with(List<Obstacle> ofProgram, SetIdPrograms started) {
        if (started.files().isEmpty() || ofProgram.contains(SET_ID_WITHOUT_EFFECT)) {
            return ofProgram;
        }
        return Stream.concat(ofProgram.stream(), Stream.of(SET_ID_WITHOUT_EFFECT))
                .toList();
    }

    /// Returns what it is and what lifts it.
    public String sentence() {
        return sentence;
    }
}

package dev.caisson.launch;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/// Runs a property on many random values, each made from a seed of its own. A failure names its seed.
final class Seeds {
    /// The first seed: the same values in every run, others with `-Dcaisson.test.seed=N`.
    private static final long FIRST = Long.getLong("caisson.test.seed", 1);

    interface Property {
        void check(SplittableRandom random) throws Exception;
    }

    private Seeds() {}

    static void check(int tries, Property property) {
        for (long seed = FIRST; seed < FIRST + tries; seed++) {
            try {
                property.check(new SplittableRandom(seed));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("it does not hold with seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    static <T> T one(SplittableRandom random, List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /// Returns a list of `least` to `most` values.
    static <T> List<T> list(SplittableRandom random, int least, int most, Function<SplittableRandom, T> value) {
        List<T> list = new ArrayList<>();
        for (int left = random.nextInt(least, most + 1); left > 0; left--) {
            list.add(value.apply(random));
        }
        return list;
    }
}

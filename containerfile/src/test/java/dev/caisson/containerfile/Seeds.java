package dev.caisson.containerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/// Runs a property on many random values, each made from a seed of its own. A failure names its seed.
public final class Seeds {
    /// The first seed: the same values in every run, others with `-Dcaisson.test.seed=N`.
    private static final long FIRST = Long.getLong("caisson.test.seed", 1);

    public interface Property {
        void check(SplittableRandom random) throws Exception;
    }

    private Seeds() {}

    public static void check(int tries, Property property) {
        for (long seed = FIRST; seed < FIRST + tries; seed++) {
            try {
                property.check(new SplittableRandom(seed));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("it does not hold with seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    public static <T> T one(SplittableRandom random, List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /// Returns a list of `least` to `most` values.
    public static <T> List<T> list(SplittableRandom random, int least, int most, Function<SplittableRandom, T> value) {
        List<T> list = new ArrayList<>();
        for (int left = random.nextInt(least, most + 1); left > 0; left--) {
            list.add(value.apply(random));
        }
        return list;
    }

    /// Returns a text of UTF-16 code units, most of them of ASCII; surrogates may stand alone.
    public static String text(SplittableRandom random, int longest) {
        var text = new StringBuilder();
        for (int left = random.nextInt(longest + 1); left > 0; left--) {
            text.append((char) random.nextInt(random.nextInt(4) == 0 ? 0x10000 : 0x80));
        }
        return text.toString();
    }
}

package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageException.Code;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The work that an image can make is counted in files, bytes and opened directories, however quick the machine is: a
/// number for each size, which a time would only stand for.
class UnpackWorkTest {
    private static final long MOST_HERE = 3_000_000;

    /// Returns how often it may be counted before the image is refused.
    private static long counted(Runnable count) {
        for (long done = 0; done < MOST_HERE; done++) {
            try {
                count.run();
            } catch (ImageException e) {
                assertThat(e.reason()).isEqualTo(Code.TOO_LARGE);
                return done;
            }
        }
        throw new AssertionError("nothing bounds it");
    }

    @ParameterizedTest
    @CsvSource({
        // packed bytes, files, MiB, opened directories
        "0, 4000, 32, 40000",
        "20000, 4000, 32, 40000",
        "200000, 8333, 38, 83330",
        "2000000, 83333, 381, 833330",
        "1000000000, 2000000, 65536, 20000000",
    })
    void what_an_image_may_cost_follows_from_its_size(long packed, long files, long mebibytes, long directories) {
        var budget = new UnpackBudget(UnpackLimits.DEFAULT, packed);

        assertThat(counted(budget::entry)).isEqualTo(files);
        assertThat(counted(() -> budget.unpacked(1 << 20))).isEqualTo(mebibytes);
        assertThat(counted(() -> budget.steps(100))).isEqualTo(directories / 100);
    }
}

package dev.caisson.launch;

import static dev.caisson.launch.LayerMedium.IMAGE;
import static dev.caisson.launch.LayerMedium.MEMORY;
import static dev.caisson.launch.LayerMedium.PROJECT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Bytes;
import dev.caisson.cgroup.Limits;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WritableLayerTest {
    private static final Limits LIMITS = Limits.defaults().memory(Bytes.mebibytes(64));
    private static final WritableLayer SMALL = WritableLayer.STANDARD.size(Bytes.mebibytes(8));
    private static final WritableLayer LARGE = WritableLayer.STANDARD.size(Bytes.gibibytes(8));

    @Test
    void aLayerWithoutASizeIsInMemoryWhateverTheHostHas() {
        assertThat(WritableLayer.STANDARD.medium(LIMITS, Set.of(MEMORY, IMAGE, PROJECT)))
                .contains(MEMORY);
        assertThat(WritableLayer.STANDARD.inodes(64).medium(LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
        assertThat(WritableLayer.STANDARD.bytes(LIMITS))
                .isEqualTo(Bytes.mebibytes(32).count());
    }

    @Test
    void aSizeIsHeldByQuotaElseInAnImageElseInMemory() {
        assertThat(SMALL.medium(LIMITS, Set.of(MEMORY, IMAGE, PROJECT))).contains(PROJECT);
        assertThat(SMALL.medium(LIMITS, Set.of(MEMORY, IMAGE))).contains(IMAGE);
        assertThat(SMALL.medium(LIMITS, Set.of(MEMORY))).contains(MEMORY);
        assertThat(LARGE.medium(LIMITS, Set.of(MEMORY))).isEmpty();
    }

    @Test
    void thePlaceThatWasAskedForIsTheOnlyOne() {
        assertThat(SMALL.place(WritableLayer.Place.MEMORY).medium(LIMITS, Set.of(MEMORY, PROJECT)))
                .contains(MEMORY);
        assertThat(LARGE.place(WritableLayer.Place.MEMORY).medium(LIMITS, Set.of(MEMORY, PROJECT)))
                .isEmpty();
        assertThat(SMALL.place(WritableLayer.Place.DISK).medium(LIMITS, Set.of(MEMORY)))
                .isEmpty();
    }

    @Test
    void whatIsTooSmallForAnImageIsInMemory() {
        assertThat(WritableLayer.STANDARD.size(Bytes.kibibytes(64)).medium(LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
    }

    @Test
    void eachBoundIsTheLastThatFits() {
        Bytes image = Bytes.mebibytes(1);
        Bytes memory = LIMITS.memory();

        assertThat(sized(image).medium(LIMITS, Set.of(MEMORY, IMAGE))).contains(IMAGE);
        assertThat(sized(Bytes.of(image.count() - 1)).medium(LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
        assertThat(sized(Bytes.of(memory.count() - 1)).medium(LIMITS, Set.of(MEMORY)))
                .contains(MEMORY);
        assertThat(sized(memory).medium(LIMITS, Set.of(MEMORY))).isEmpty();
    }

    private static WritableLayer sized(Bytes size) {
        return WritableLayer.STANDARD.size(size);
    }

    @Test
    void filesAreAsManyAsTheSizeIsGoodForWithinBounds() {
        assertThat(sized(Bytes.mebibytes(8)).files(LIMITS, MEMORY)).isEqualTo(2048);
        assertThat(sized(Bytes.kibibytes(64)).files(LIMITS, MEMORY)).isEqualTo(1024);
        assertThat(sized(Bytes.gibibytes(64)).files(LIMITS, MEMORY)).isEqualTo(1 << 20);
        assertThat(sized(Bytes.mebibytes(8)).files(LIMITS, PROJECT)).isEqualTo(512);
        assertThat(sized(Bytes.kibibytes(64)).files(LIMITS, PROJECT)).isEqualTo(128);
        assertThat(sized(Bytes.gibibytes(64)).files(LIMITS, IMAGE)).isEqualTo(1 << 20);
        assertThat(WritableLayer.STANDARD.inodes(77).files(LIMITS, MEMORY)).isEqualTo(77);
        assertThat(WritableLayer.STANDARD.bytes(Limits.defaults().memory(Bytes.UNLIMITED)))
                .isEqualTo(1L << 30);
    }
}

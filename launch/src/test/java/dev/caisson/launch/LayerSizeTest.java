package dev.caisson.launch;

import static dev.caisson.launch.LayerMedium.IMAGE;
import static dev.caisson.launch.LayerMedium.MEMORY;
import static dev.caisson.launch.LayerMedium.PROJECT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import dev.caisson.spec.WritableLayer;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LayerSizeTest {
    private static final Limits LIMITS = Limits.defaults().memory(Bytes.mebibytes(64));
    private static final WritableLayer SMALL = WritableLayer.STANDARD.size(Bytes.mebibytes(8));
    private static final WritableLayer LARGE = WritableLayer.STANDARD.size(Bytes.gibibytes(8));

    @Test
    void a_layer_without_a_size_is_in_memory_whatever_the_host_has() {
        assertThat(LayerSize.medium(WritableLayer.STANDARD, LIMITS, Set.of(MEMORY, IMAGE, PROJECT)))
                .contains(MEMORY);
        assertThat(LayerSize.medium(WritableLayer.STANDARD.inodes(64), LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
        assertThat(LayerSize.bytes(WritableLayer.STANDARD, LIMITS))
                .isEqualTo(Bytes.mebibytes(32).count());
    }

    @Test
    void a_size_is_held_by_quota_else_in_an_image_else_in_memory() {
        assertThat(LayerSize.medium(SMALL, LIMITS, Set.of(MEMORY, IMAGE, PROJECT)))
                .contains(PROJECT);
        assertThat(LayerSize.medium(SMALL, LIMITS, Set.of(MEMORY, IMAGE))).contains(IMAGE);
        assertThat(LayerSize.medium(SMALL, LIMITS, Set.of(MEMORY))).contains(MEMORY);
        assertThat(LayerSize.medium(LARGE, LIMITS, Set.of(MEMORY))).isEmpty();
    }

    @Test
    void the_place_that_was_asked_for_is_the_only_one() {
        assertThat(LayerSize.medium(SMALL.place(WritableLayer.Place.MEMORY), LIMITS, Set.of(MEMORY, PROJECT)))
                .contains(MEMORY);
        assertThat(LayerSize.medium(LARGE.place(WritableLayer.Place.MEMORY), LIMITS, Set.of(MEMORY, PROJECT)))
                .isEmpty();
        assertThat(LayerSize.medium(SMALL.place(WritableLayer.Place.DISK), LIMITS, Set.of(MEMORY)))
                .isEmpty();
    }

    @Test
    void what_is_too_small_for_an_image_is_in_memory() {
        assertThat(LayerSize.medium(WritableLayer.STANDARD.size(Bytes.kibibytes(64)), LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
    }

    @Test
    void each_bound_is_the_last_that_fits() {
        Bytes image = Bytes.mebibytes(1);
        Bytes memory = LIMITS.memory();

        assertThat(LayerSize.medium(sized(image), LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(IMAGE);
        assertThat(LayerSize.medium(sized(Bytes.of(image.count() - 1)), LIMITS, Set.of(MEMORY, IMAGE)))
                .contains(MEMORY);
        assertThat(LayerSize.medium(sized(Bytes.of(memory.count() - 1)), LIMITS, Set.of(MEMORY)))
                .contains(MEMORY);
        assertThat(LayerSize.medium(sized(memory), LIMITS, Set.of(MEMORY))).isEmpty();
    }

    private static WritableLayer sized(Bytes size) {
        return WritableLayer.STANDARD.size(size);
    }

    @Test
    void files_are_as_many_as_the_size_is_good_for_within_bounds() {
        assertThat(LayerSize.files(sized(Bytes.mebibytes(8)), LIMITS, MEMORY)).isEqualTo(2048);
        assertThat(LayerSize.files(sized(Bytes.kibibytes(64)), LIMITS, MEMORY)).isEqualTo(1024);
        assertThat(LayerSize.files(sized(Bytes.gibibytes(64)), LIMITS, MEMORY)).isEqualTo(1 << 20);
        assertThat(LayerSize.files(sized(Bytes.mebibytes(8)), LIMITS, PROJECT)).isEqualTo(512);
        assertThat(LayerSize.files(sized(Bytes.kibibytes(64)), LIMITS, PROJECT)).isEqualTo(128);
        assertThat(LayerSize.files(sized(Bytes.gibibytes(64)), LIMITS, IMAGE)).isEqualTo(1 << 20);
        assertThat(LayerSize.files(WritableLayer.STANDARD.inodes(77), LIMITS, MEMORY))
                .isEqualTo(77);
        assertThat(LayerSize.bytes(WritableLayer.STANDARD, Limits.defaults().memory(Bytes.UNLIMITED)))
                .isEqualTo(1L << 30);
    }
}

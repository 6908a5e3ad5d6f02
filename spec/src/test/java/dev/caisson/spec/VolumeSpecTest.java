package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class VolumeSpecTest {
    private static VolumeSpec sized(Bytes size) {
        return new VolumeSpec(Optional.empty(), Optional.of(size), OptionalLong.empty(), Map.of());
    }

    @Test
    void a_size_has_an_end_and_a_least_value() {
        assertThat(sized(WorkspaceSpec.LEAST_SIZE).size()).contains(Bytes.mebibytes(16));
        assertThatThrownBy(() -> sized(Bytes.of(Bytes.mebibytes(16).count() - 1)))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("is below the least one, 16 MiB: give more");
        assertThatThrownBy(() -> sized(Bytes.UNLIMITED))
                .isInstanceOf(ArgumentException.class)
                .hasMessageContaining("the size of a volume has no end: give one, as 256m");
    }

    @Test
    void labels_keep_their_order() {
        var labels = new LinkedHashMap<String, String>();
        for (int i = 50; i > 0; i--) {
            labels.put("label" + i, "");
        }
        var volume = new VolumeSpec(Optional.empty(), Optional.empty(), OptionalLong.empty(), labels);
        assertThat(List.copyOf(volume.labels().keySet())).isEqualTo(List.copyOf(labels.keySet()));
    }
}

package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.TarEntry.Segment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Files with holes, by where their content ends.
class TarEntryTest {
    private static TarEntry of(long size, Segment... segments) {
        return new TarEntry("f", TarEntry.Kind.FILE, 0644, 0, 0, 0, 0, "", 0, 0, size, List.of(segments), Map.of());
    }

    @Test
    void a_file_ends_in_a_hole_if_nothing_is_written_at_its_end() {
        assertThat(of(10, new Segment(0, 10)).endsInHole()).isFalse();
        assertThat(of(10, new Segment(0, 9)).endsInHole()).isTrue();
        assertThat(of(10, new Segment(0, 1), new Segment(9, 1)).endsInHole()).isFalse();
        assertThat(of(10, new Segment(0, 1), new Segment(8, 1)).endsInHole()).isTrue();
        assertThat(of(10, new Segment(4, 6), new Segment(0, 1)).endsInHole()).isFalse();
        assertThat(of(10, new Segment(0, 4), new Segment(10, 0)).endsInHole()).isTrue();
        assertThat(of(10).endsInHole()).isTrue();
        assertThat(of(0).endsInHole()).isFalse();
        assertThat(of(0, new Segment(0, 0)).endsInHole()).isFalse();
    }

    @Test
    void attributes_do_not_change_with_the_map_that_they_came_in() {
        var attributes = new HashMap<>(Map.of("user.a", new byte[] {1}));
        var entry = new TarEntry("f", TarEntry.Kind.FILE, 0, 0, 0, 0, 0, "", 0, 0, 0, List.of(), attributes);
        attributes.clear();
        assertThat(entry.attributes()).containsOnlyKeys("user.a");
    }
}

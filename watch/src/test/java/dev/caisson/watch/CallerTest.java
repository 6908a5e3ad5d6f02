package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CallerTest {
    @Test
    void a_place_in_the_code_is_a_mapping_and_an_offset_in_the_file() {
        String maps = """
                55d0c0000000-55d0c0002000 r--p 00000000 08:01 17  /bin/with space
                55d0c0002000-55d0c0008000 r-xp 00002000 08:01 17  /bin/with space
                7ffff0000000-7ffff0001000 r-xp 00000000 00:00 0
                """;

        assertThat(Caller.location(maps, 0x55d0c0002010L)).isEqualTo("/bin/with space+0x2010");
        assertThat(Caller.location(maps, 0x7ffff0000008L)).isEqualTo("anonymous memory+0x8");
        assertThat(Caller.location(maps, 1)).isEmpty();
    }
}

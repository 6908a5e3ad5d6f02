package dev.caisson.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageMatchTest {
    @ParameterizedTest
    @CsvSource({
        "busybox, busybox:latest, true",
        "busybox, docker.io/library/busybox:latest, true",
        "busybox:latest, busybox, true",
        "busybox:1, busybox:latest, false",
        "busybox, localhost:5000/busybox:latest, false",
        "dir:/srv/root, dir:/srv/root, true",
        "dir:/srv, dir:/srv/root, false",
        "host, host, true",
        "'', host, false"
    })
    void an_image_has_several_names(String wanted, String image, boolean isSame) {
        assertThat(ImageMatch.of(wanted).test(image)).isEqualTo(isSame);
    }
}

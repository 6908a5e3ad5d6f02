package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Names of images, as Docker reads them.
class ImageReferenceTest {
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @CsvSource({
        "debian, docker.io, library/debian, latest, debian:latest",
        "debian:13, docker.io, library/debian, 13, debian:13",
        "docker.io/debian, docker.io, library/debian, latest, debian:latest",
        "index.docker.io/library/debian:13, docker.io, library/debian, 13, debian:13",
        "team/app:v1_2-3.x, docker.io, team/app, v1_2-3.x, team/app:v1_2-3.x",
        "library/a/b, docker.io, library/a/b, latest, library/a/b:latest",
        "localhost/app, localhost, app, latest, localhost/app:latest",
        "localhost:5000/app, localhost:5000, app, latest, localhost:5000/app:latest",
        "quay.io/a/b__c/d-e:1, quay.io, a/b__c/d-e, 1, quay.io/a/b__c/d-e:1",
        "[::1]:5000/app:1, [::1]:5000, app, 1, '[::1]:5000/app:1'",
        "HOST/app, HOST, app, latest, HOST/app:latest",
    })
    void a_name_is_completed_as_docker_does(String text, String registry, String repository, String tag, String shown) {
        ImageReference reference = ImageReference.parse(text);
        assertThat(reference)
                .isEqualTo(new ImageReference(registry, repository, Optional.of(tag), Optional.empty()))
                .hasToString(shown);
        assertThat(ImageReference.parse(shown)).isEqualTo(reference);
        assertThat(reference.fullRepository()).isEqualTo(registry + "/" + repository);
    }

    @Test
    void a_digest_stands_for_itself_or_beside_a_tag() {
        ImageReference alone = ImageReference.parse("debian@" + DIGEST);
        assertThat(alone.tag()).isEmpty();
        assertThat(alone.digest()).hasValue(new Digest(DIGEST.substring(7)));
        assertThat(alone).hasToString("debian@" + DIGEST);
        ImageReference both = ImageReference.parse("debian:13@" + DIGEST);
        assertThat(both.tag()).hasValue("13");
        assertThat(ImageReference.parse("debian:13").at(new Digest(DIGEST.substring(7))))
                .isEqualTo(both);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":1",
                "Debian",
                "a//b",
                "/a",
                "a/",
                "a..b",
                "-a",
                "a-",
                "a b",
                "a:",
                "a:.x",
                "a@sha256:00",
                "a@md5:00",
                "a@",
                "quay.io/",
                "quay.io/A",
                "host:x/a",
                "host:123456/a",
                "-h.io/a",
                "h_x.io/a",
                "user:secret@h.io/a",
                "http://h.io/a",
                "h.io/a?x=1",
                "h.io/a#b",
                "h.io/../a",
                "a\nb"
            })
    void what_is_no_name_is_refused(String text) {
        var refused = catchThrowableOfType(ImageException.class, () -> ImageReference.parse(text));
        assertThat(refused).as(text).isNotNull();
        assertThat(refused.reason()).isEqualTo(ImageException.Code.BAD_NAME);
    }

    @Test
    void names_and_tags_have_a_longest() {
        assertThat(ImageReference.parse("h.io/" + "a".repeat(250)).repository()).hasSize(250);
        assertThat(ImageReference.parse("a:" + "t".repeat(128)).tag()).hasValue("t".repeat(128));
        for (String text : new String[] {"h.io/" + "a".repeat(251), "a:" + "t".repeat(129)}) {
            assertThat(catchThrowableOfType(ImageException.class, () -> ImageReference.parse(text)))
                    .isNotNull();
        }
    }

    @Test
    void a_digest_that_is_cut_off_and_an_address_are_refused_with_what_to_write() {
        assertThatThrownBy(() -> ImageReference.parse("debian@sha256:12"))
                .hasMessageContaining("\"debian@sha256:12\" has a digest that is not whole")
                .hasMessageContaining("64 digits");
        assertThatThrownBy(() -> ImageReference.parse("https://registry.example.org/x"))
                .hasMessageContaining("write it without https://");
    }
}

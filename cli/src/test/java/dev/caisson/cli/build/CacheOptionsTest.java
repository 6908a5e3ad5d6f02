package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.build.BuildCaches;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.image.CachePlace;
import dev.caisson.image.ImageReference;
import dev.caisson.image.RegistryLogins;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CacheOptionsTest {
    private static final RegistryLogins LOGINS = RegistryLogins.none();

    private static BuildCaches from(String text) {
        return CacheOptions.parse(List.of(text), List.of(), LOGINS);
    }

    private static BuildCaches to(String text) {
        return CacheOptions.parse(List.of(), List.of(text), LOGINS);
    }

    private static CachePlace registry(String name) {
        return new CachePlace.InRegistry(ImageReference.parse(name), LOGINS);
    }

    @Test
    void places_are_registries_and_directories() {
        assertThat(from("app:cache").from()).containsExactly(registry("app:cache"));
        assertThat(from("type=registry,ref=r.example/app").from()).containsExactly(registry("r.example/app"));
        assertThat(from("type=local,src=/srv/cache").from())
                .containsExactly(new CachePlace.InDirectory(Path.of("/srv/cache")));
        assertThat(to("type=local,dest=/srv/cache,mode=max").to())
                .containsExactly(new BuildCaches.Export(new CachePlace.InDirectory(Path.of("/srv/cache")), true));
        assertThat(to("r.example/app:c").to())
                .containsExactly(new BuildCaches.Export(registry("r.example/app:c"), false));
        assertThat(to("type=inline")).isEqualTo(new BuildCaches(List.of(), List.of(), true));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "type=gha | OPTION_REFUSED: --cache-to type=gha",
                "type=s3,bucket=b | OPTION_REFUSED: --cache-to with bucket",
                "type=registry,ref=a,compression=zstd | OPTION_REFUSED: --cache-to with compression",
                "type=registry | needs ref=",
                "ref=a | has no type",
                "type=registry,ref=a,ref=b | twice",
                "type=local,dest=a,mode=most | mode=min or mode=max",
                "type=inline,mode=max | the steps of the image alone",
                "type=inline,ref=a | has no ref",
                "type=local,dest=a,ref=b | has no ref"
            })
    void what_is_not_kept_is_refused_by_name(String text, String said) {
        assertThatExceptionOfType(CommandException.class)
                .isThrownBy(() -> to(text))
                .satisfies(refused ->
                        assertThat(refused.code() + ": " + refused.sentence()).contains(said));
    }
}

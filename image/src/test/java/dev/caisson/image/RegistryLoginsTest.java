package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A login is kept when the registry takes it, and forgotten when asked.
@Timeout(60)
class RegistryLoginsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private static ScriptedRegistry wanting(String login) throws IOException {
        String basic = "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
        return new ScriptedRegistry((request, out) -> {
            if (basic.equals(request.headers().get("authorization"))) {
                ScriptedRegistry.plain(out, "200 OK", "");
            } else {
                ScriptedRegistry.plain(out, "401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"r\"");
            }
        });
    }

    @Test
    void a_login_that_the_registry_takes_is_kept_and_forgotten() throws Exception {
        Path file = temporary.resolve("config.json");
        long clients = OpenFiles.clients();
        try (ScriptedRegistry registry = wanting("me:hush")) {
            var refused = catchThrowableOfType(
                    CaissonException.class, () -> RegistryLogins.of(file).login(registry.name(), "me", "wrong"));
            assertThat(refused.code()).isEqualTo("REGISTRY_UNAUTHORIZED");
            assertThat(file).doesNotExist();

            assertThat(RegistryLogins.of(file).login(registry.name(), "me", "hush"))
                    .isEmpty();
            assertThat(file)
                    .content()
                    .contains(
                            registry.name(),
                            Base64.getEncoder().encodeToString("me:hush".getBytes(StandardCharsets.UTF_8)));
            assertThat(registry.requests.getLast().path()).isEqualTo("/v2/");
            assertThat(RegistryLogins.of(file).logout(registry.name())).isTrue();
            assertThat(file).content().doesNotContain(registry.name());
            assertThat(RegistryLogins.of(file).logout(registry.name())).isFalse();
        }
        assertThat(OpenFiles.clientsEnd(clients)).isTrue();
    }

    @Test
    void what_is_no_registry_is_told_before_it_is_asked() {
        Path file = temporary.resolve("config.json");
        for (String name : new String[] {"https://x.example", "a/b", "", "x".repeat(256)}) {
            for (var call : List.<ThrowingCallable>of(
                    () -> RegistryLogins.of(file).login(name, "me", "hush"),
                    () -> RegistryLogins.of(file).logout(name))) {
                var refused = catchThrowableOfType(ImageException.class, call);
                assertThat(refused.reason()).as(name).isEqualTo(ImageException.Code.BAD_NAME);
            }
        }
    }
}

package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Mount;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Docker's and Podman's words for a secret, translated.
class SecretFileOptionsTest {
    private static List<SecretFile> secrets(String... texts) {
        CommandSpec run = CommandSpec.create();
        var wish = new RunOptions(run);
        var words = new String[2 * texts.length + 1];
        for (int i = 0; i < texts.length; i++) {
            words[2 * i] = "--secret";
            words[2 * i + 1] = texts[i];
        }
        words[2 * texts.length] = "host";
        new CommandLine(run).parseArgs(words);
        return wish.spec().mounts().stream()
                .flatMap(mount -> ((Mount.Secrets) mount).files().stream())
                .toList();
    }

    @Test
    void all_forms_are_read() {
        SecretFile db = SecretFile.of("db");
        assertThat(secrets(
                        "db",
                        "db,target=a,uid=7,gid=8,mode=0440",
                        "source=db,target=/run/secrets/b,type=mount",
                        "mode=600,dst=c,src=db",
                        "db,target=d,env=DB_TOKEN",
                        "db,target=e,on-change=HUP",
                        "db,target=f,on-change=signal:HUP",
                        "db,target=g,on-change=exec:/bin/reload now",
                        "db,target=h,on-change=restart"))
                .containsExactly(
                        db,
                        db.file("a").owner(7, 8).mode(0440),
                        db.file("b"),
                        db.file("c").mode(0600),
                        db.file("d").asVariable("DB_TOKEN"),
                        db.file("e").onChange(1),
                        db.file("f").onChange(1),
                        db.file("g").onChange(new OnSecretChange.Program(List.of("/bin/reload", "now"))),
                        db.file("h").onChange(new OnSecretChange.Restart()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "db,type=env | OPTION_REFUSED",
                "db,env=1DB | ARGUMENT_INVALID",
                "db,env= | ARGUMENT_INVALID",
                "db,target=/etc/db | OPTION_REFUSED",
                "db,target=a/b | OPTION_REFUSED",
                "db,gate=example.com | OPTION_REFUSED",
                "db,method=GET | USAGE",
                "db,gate=example.com,path=v1 | ARGUMENT_INVALID",
                "db,gate=example.com,method=get | ARGUMENT_INVALID",
                "target=a | USAGE",
                "db,uid=root | USAGE",
                "db,mode=9 | USAGE",
                "db,rw | USAGE",
                "db,uid=70000 | ARGUMENT_INVALID",
                "../db | SECRET_INVALID",
                "db,on-change=exec: | ARGUMENT_INVALID",
                "db,on-change=signal:NONE | USAGE",
                "db,on-change=reload | USAGE",
            })
    void what_cannot_be_is_refused_by_name(String text, String code) {
        assertThatThrownBy(() -> secrets(text))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}

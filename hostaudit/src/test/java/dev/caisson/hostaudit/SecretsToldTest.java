package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.kernel.CommandSecrets;
import dev.caisson.hostaudit.secrets.Variables;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Secrets in images, on command lines and in addresses, each beside what looks like one and is none.
class SecretsToldTest {
    private static final String SECRET = "hunter2xyz";
    private static final String PATH = "B00000000/abcdefghijklmnopqrstuvwx";
    private static final String HEX = "0123456789abcdef0123456789abcdef";
    private static final String GUID = "01234567-89ab-cdef-0123-456789abcdef";
    private static final String BOT = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456";

    /// @param bad and good as somebody writes them
    record SecretCase(String bad, String good) {}

    private static Finding finding(String check, Object... changes) {
        Facts facts = FactsFile.with(changes);
        return HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2)).findings().stream()
                .filter(found -> found.check().name().equals(check))
                .findFirst()
                .orElseThrow();
    }

    private static Finding ofImage(List<String> environment, String step) {
        return finding(
                "image-secrets",
                "images/0/environment",
                Variables.withoutSecrets(environment),
                "images/0/history/0/command",
                Variables.text(step));
    }

    private static Finding ofCommand(List<String> words) {
        return finding("secret-in-env-live", "containers/0/claims/command", Variables.arguments(words));
    }

    private static Finding ofVariable(String value) {
        return finding(
                "secret-in-env-live",
                "containers/0/claims/environment",
                Variables.withoutSecrets(List.of("NOTIFY=" + value)));
    }

    static Stream<SecretCase> variables() {
        return Stream.of(
                new SecretCase("API_KEY=" + SECRET, "API_KEY="),
                new SecretCase("API_KEY=\"" + SECRET + "\"", "API_KEY=\"\""),
                new SecretCase("DB_PASSWORD=" + SECRET, "DB_PASSWORD=''"),
                new SecretCase("AUTH_TOKEN=" + SECRET, "AUTH_TOKEN= LANG=C"));
    }

    @ParameterizedTest
    @MethodSource("variables")
    void a_variable_of_an_image_that_is_empty_is_no_secret(SecretCase each) {
        for (String lead : List.of("ENV ", "/bin/sh -c #(nop)  ENV ")) {
            assertThat(ofImage(List.of(), lead + each.bad()).status())
                    .as(each.bad())
                    .isEqualTo(Status.FAIL);
            assertThat(ofImage(List.of(), lead + each.good()).status())
                    .as(each.good())
                    .isEqualTo(Status.PASS);
        }
    }

    @Test
    void an_image_with_a_filled_key_is_told_by_the_keys_name_alone() {
        Finding filled = ofImage(List.of("API_KEY=" + SECRET), "ENV API_KEY=" + SECRET);

        assertThat(filled.status()).isEqualTo(Status.FAIL);
        assertThat(filled.message()).contains("variable API_KEY", "API_KEY in the history");
        assertThat(filled.toString()).doesNotContain(SECRET);
        assertThat(ofImage(List.of("API_KEY=", "PATH=/bin"), "ENV API_KEY=").status())
                .isEqualTo(Status.PASS);
    }

    static Stream<SecretCase> commands() {
        return Stream.of(
                new SecretCase("mysql -u root -p" + SECRET + " shop", "mysql -u root -p shop"),
                new SecretCase("/usr/bin/mysqldump -p" + SECRET, "/usr/bin/mysqldump -P3306 --port 3306"),
                new SecretCase("mariadb-admin ping -p" + SECRET, "mariadb-admin ping -p$MARIADB_ROOT_PASSWORD"),
                new SecretCase("docker-entrypoint.sh mysql -p" + SECRET, "docker-entrypoint.sh mysqld --port 3306"),
                new SecretCase("redis-cli -h cache -a " + SECRET + " ping", "redis-cli -h cache -p 6379 ping"),
                new SecretCase("valkey-cli -a " + SECRET, "valkey-cli -a $PASSWORD"),
                new SecretCase("redis-server --requirepass " + SECRET, "redis-server --maxmemory 100mb"),
                new SecretCase("sshpass -p " + SECRET + " ssh host", "sshpass -f /run/secrets/p ssh -p 2222 host"),
                new SecretCase("sshpass -p" + SECRET + " ssh host", "sshpass -e ssh -p2222 host"),
                new SecretCase("ldapsearch -x -w " + SECRET, "ldapsearch -x -W -b dc=example"),
                new SecretCase("mongosh -u anna -p " + SECRET, "mongosh --port 27017"),
                new SecretCase("sqlcmd -S db -P " + SECRET, "sqlcmd -S db -i file.sql"),
                new SecretCase("mosquitto_sub -P " + SECRET, "mosquitto_sub -p 1883 -t a"),
                new SecretCase("curl -u anna:" + SECRET + " https://example.org", "curl -u anna https://example.org"),
                new SecretCase(
                        "curl -fsSu anna:" + SECRET + " https://example.org", "curl -fsSo x https://example.org"),
                new SecretCase("skopeo copy --src-creds anna:" + SECRET + " a b", "setpriv --user 1000:1000 a b"),
                new SecretCase("psql postgres://anna:" + SECRET + "@db/shop", "psql postgres://anna@db/shop"),
                new SecretCase("PGPASSWORD=" + SECRET + " psql", "PGPASSFILE=/run/secrets/pg psql"));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void a_secret_on_a_command_line_is_told_and_not_shown(SecretCase each) {
        for (List<String> words : asWritten(each.bad())) {
            Finding told = ofCommand(words);
            assertThat(told.status()).as("%s", words).isEqualTo(Status.FAIL);
            assertThat(told.message()).contains("on a command line");
            assertThat(Variables.arguments(words).toString()).doesNotContain(SECRET);
        }
        for (List<String> words : asWritten(each.good())) {
            assertThat(ofCommand(words).status()).as("%s", words).isEqualTo(Status.PASS);
        }
    }

    /// As words, and as the script of a shell.
    private static List<List<String>> asWritten(String command) {
        List<List<String>> all = new ArrayList<>();
        all.add(List.of(command.split(" ", -1)));
        all.add(List.of("sh", "-c", command));
        all.add(List.of("sh", "-ec", "cd /srv; exec " + command + " && true"));
        return all;
    }

    @ParameterizedTest
    @MethodSource("commands")
    void a_secret_of_a_command_in_a_step_of_an_image_is_told_and_not_shown(SecretCase each) {
        for (String step : List.of(
                "RUN %s # buildkit",
                "/bin/sh -c %s", "|1 A=b /bin/sh -c %s", "CMD [\"sh\" \"-c\" \"%s\"]", "RUN true && \\\n    %s")) {
            Finding told = ofImage(List.of(), step.formatted(each.bad()));
            assertThat(told.status()).as(step, each.bad()).isEqualTo(Status.FAIL);
            String left = Variables.text(step.formatted(each.bad()));
            assertThat(left).doesNotContain(SECRET);
            assertThat(Variables.text(left)).as("nothing is left out twice").isEqualTo(left);

            String harmless = step.formatted(each.good());
            assertThat(Variables.text(harmless)).isEqualTo(harmless);
            assertThat(ofImage(List.of(), harmless).status()).as(harmless).isEqualTo(Status.PASS);
        }
    }

    @Test
    void a_list_of_words_in_json_is_a_command_line() {
        assertThat(Variables.text("CMD [\"mysql\",\"-p" + SECRET + "\"]")).doesNotContain(SECRET);
        assertThat(Variables.text("CMD [\"redis-cli\", \"-a\", \"" + SECRET + "\"]"))
                .doesNotContain(SECRET);
        assertThat(Variables.text("CMD [\"redis-cli\", \"-p\", \"6379\"]"))
                .isEqualTo("CMD [\"redis-cli\", \"-p\", \"6379\"]");
    }

    @Test
    void a_flag_is_the_nearest_programs_and_ends_with_its_command() {
        for (String harmless : List.of(
                "RUN mysql -e 'select 1'; ssh -p2222 host",
                "RUN redis-cli ping | tee -a log.txt",
                "RUN apt-get install -y mysql-client redis-tools sshpass curl",
                "HEALTHCHECK CMD mysqladmin ping -p\"$MYSQL_ROOT_PASSWORD\"",
                "RUN mysql -p`cat /run/secrets/db`",
                "RUN mysql -p$(cat /run/secrets/db)",
                "RUN chpst -u www:www nginx")) {
            assertThat(Variables.text(harmless)).isEqualTo(harmless);
        }
    }

    @Test
    @Timeout(60)
    void the_command_line_of_a_process_is_read_from_the_kernel() throws Exception {
        assertThat(ofProcess("mysql", "-p" + SECRET)).containsExactly("a secret on a command line");
        assertThat(ofProcess("redis-cli", "-a", SECRET)).containsExactly("a secret on a command line");
        assertThat(ofProcess("tool", "--api-token", SECRET)).hasSize(1).noneMatch(told -> told.contains(SECRET));
        assertThat(ofProcess("mysql", "-p", "shop")).isEmpty();
        assertThat(ofProcess("redis-cli", "-p", "6379")).isEmpty();
    }

    /// A shell that waits, with more arguments than its script asks for.
    private static List<String> ofProcess(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "read line; true", "sh"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).start();
        try {
            return CommandSecrets.of(process.pid(), false);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    static Stream<SecretCase> addresses() {
        return Stream.of(
                new SecretCase(
                        "https://hooks.slack.com/services/T00000000/" + PATH, "https://hooks.slack.com/services/"),
                new SecretCase(
                        "https://discord.com/api/webhooks/123456789012345678/" + HEX,
                        "https://discord.com/invite/abcdefgh"),
                new SecretCase(
                        "https://discordapp.com/api/v10/webhooks/123456789012345678/" + HEX,
                        "https://discord.com/api/v10/gateway"),
                new SecretCase(
                        "https://contoso.webhook.office.com/webhookb2/" + GUID + "@" + GUID + "/IncomingWebhook/" + HEX
                                + "/" + GUID,
                        "https://teams.microsoft.com/l/channel/19%3a" + HEX + "/General"),
                new SecretCase(
                        "https://outlook.office.com/webhook/" + GUID + "@" + GUID + "/IncomingWebhook/" + HEX,
                        "https://outlook.office.com/mail/inbox"),
                new SecretCase(
                        "https://prod-12.westeurope.logic.azure.com:443/workflows/" + HEX
                                + "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig="
                                + HEX + "abcdefghijk",
                        "https://portal.azure.com/workflows/" + HEX + "?api-version=2016-06-01"),
                new SecretCase(
                        "https://api.telegram.org/bot" + BOT + "/sendMessage",
                        "https://api.telegram.org/bot$TOKEN/sendMessage"),
                new SecretCase(BOT, "123456789:AA"),
                new SecretCase(
                        "https://hooks.zapier.com/hooks/catch/1234567/abcde12",
                        "https://zapier.com/apps/webhook/integrations"),
                new SecretCase(
                        "https://maker.ifttt.com/trigger/built/with/key/" + HEX,
                        "https://maker.ifttt.com/trigger/built/with/key/$KEY"),
                new SecretCase(
                        "https://open.larksuite.com/open-apis/bot/v2/hook/" + GUID,
                        "https://open.larksuite.com/document/home/index"),
                new SecretCase(
                        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + GUID,
                        "https://qyapi.weixin.qq.com/cgi-bin/gettoken"),
                new SecretCase(
                        "https://oapi.dingtalk.com/robot/send?access_token=" + HEX,
                        "https://oapi.dingtalk.com/robot/send?access_token=$TOKEN"));
    }

    @ParameterizedTest
    @MethodSource("addresses")
    void an_address_that_lets_anybody_write_is_a_secret(SecretCase each) {
        assertThat(ofVariable(each.bad()).status()).isEqualTo(Status.FAIL);
        assertThat(ofVariable(each.bad()).message()).isEqualTo("variable NOTIFY");
        assertThat(ofCommand(List.of("notify", each.bad())).status()).isEqualTo(Status.FAIL);
        assertThat(ofImage(List.of(), "RUN curl -d x " + each.bad()).status()).isEqualTo(Status.FAIL);

        assertThat(ofVariable(each.good()).status()).isEqualTo(Status.PASS);
        assertThat(ofCommand(List.of("notify", each.good())).status()).isEqualTo(Status.PASS);
        assertThat(ofImage(List.of(), "RUN curl -d x " + each.good()).status()).isEqualTo(Status.PASS);
    }

    @Test
    void a_label_is_judged_like_a_variable() {
        assertThat(label("https://hooks.slack.com/services/T00000000/" + PATH)).isEqualTo(Status.FAIL);
        assertThat(label("mysql -p" + SECRET)).isEqualTo(Status.FAIL);
        assertThat(label("mysql -p")).isEqualTo(Status.PASS);
    }

    private static Status label(String value) {
        return finding(
                        "secret-in-env-live",
                        "containers/0/claims/labels",
                        Variables.withoutSecrets(Map.of("note", value)))
                .status();
    }
}

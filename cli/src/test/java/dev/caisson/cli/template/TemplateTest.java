package dev.caisson.cli.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
    private static final Map<String, Object> CONTAINER = Map.of(
            "ID", "1234567890ab",
            "Name", "/web",
            "State", Map.of("Running", true, "ExitCode", 0L, "Status", "running"),
            "Args", List.of("-c", "a b"),
            "Empty", List.of(),
            "Label", new Template.Unlisted(new Template.Lookup(name -> name + "!")),
            "Alias", new Template.Unlisted("web"),
            "Policy", policy(),
            "Config", Map.of("Labels", new Template.Dictionary(Map.of("team", "core", "com.x/y", "z"))));

    private static Map<String, Object> policy() {
        var policy = new LinkedHashMap<String, Object>();
        policy.put("Name", "on-failure");
        policy.put("Most", 3L);
        policy.put("Alias", new Template.Unlisted("x"));
        return policy;
    }

    private static String render(String template) {
        return Template.parse(template).render(CONTAINER);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "plain~plain",
                "{{.ID}}~1234567890ab",
                "{{.Label \"a b\"}} {{.Label \"x\" | upper}} {{.Alias}}~a b! X! web",
                "{{.Policy}} {{json .Policy}} {{.Policy.Alias}}~{on-failure 3} {\"Name\":\"on-failure\",\"Most\":3} x",
                "{{range .Policy}}{{.}} {{end}}{{len .Policy}} {{index .Policy \"Alias\"}}.~3 on-failure 2 .",
                "{{ .ID }}: {{.Name}}~1234567890ab: /web",
                "{{html \"<a href='x'>&\"}} {{html .State.ExitCode}}~&lt;a href=&#39;x&#39;&gt;&amp; 0",
                "{{js \"a'b<c>=\" }} {{\"x y\" | js}}~a\\'b\\u003Cc\\u003E\\u003D x y",
                "{{urlquery \"a b&c=d*-_.e\"}} {{urlquery 1 2}}~a+b%26c%3Dd%2A-_.e 1+2",
                "{{.State.Running}} {{.State.ExitCode}}~true 0",
                "{{json .State.Status}}~\"running\"",
                "{{.State.Status | upper | json}}~\"RUNNING\"",
                "{{range .Args}}<{{.}}>{{end}}~<-c><a b>",
                "{{range $i, $a := .Args}}{{$i}}={{$a}} {{$.ID}};{{end}}~0=-c 1234567890ab;1=a b 1234567890ab;",
                "{{range .Empty}}x{{else}}none{{end}}~none",
                "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}},{{end}}~com.x/y=z,team=core,",
                "{{if .State.Running}}up{{else}}down{{end}}~up",
                "{{if eq .State.ExitCode 1}}a{{else if .Empty}}b{{else}}c{{end}}~c",
                "{{if and .State.Running (eq .State.ExitCode 0)}}well{{end}}~well",
                "{{with .State}}{{.Status}}{{end}}~running",
                "{{index .Config.Labels \"com.x/y\"}}{{index .Config.Labels \"none\"}}~z",
                "{{.Config.Labels.none}}~<no value>",
                "{{index .Args 1}}~a b",
                "{{len .Args}} {{len .ID}}~2 12",
                "{{join .Args \",\"}}~-c,a b",
                "{{slice .ID 0 4}}~1234",
                "{{printf \"%s-%d|%5s|%-3s|%q\" .ID 7 \"x\" \"y\" \"z\"}}~1234567890ab-7|    x|y  |\"z\"",
                "{{.Args}} {{.Config.Labels}}~[-c a b] map[com.x/y:z team:core]",
                "a {{- .ID -}} b~a1234567890abb",
                "{{/* nothing */}}x~x",
                "{{$x := .ID}}{{$x}}~1234567890ab",
                "{{not .Empty}} {{println 1 2}}.~true 1 2\\n.",
                "{{\"}}\"}}~}}",
                "{{json .Args}}~[\"-c\",\"a b\"]",
            })
    void a_template_prints_what_docker_prints(String template, String expected) {
        assertThat(render(template)).isEqualTo(expected.replace("\\n", "\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{.Id}}",
                "{{.ID",
                "{{if .ID}}",
                "{{end}}",
                "{{range .ID}}{{end}}",
                "{{nosuch .ID}}",
                "{{.ID | .Name}}",
                "{{.ID \"x\"}}",
                "{{.Label}}",
                "{{json .Label}}",
                "{{.Label 7}}",
                "{{template \"x\"}}",
                "{{index .Args 9}}",
                "{{eq .ID 3}}",
                "{{(.ID}}",
                "{{$x}}",
                "{{if .ID}}{{else}}{{else}}{{end}}",
                "{{}}",
                "{{join .ID \",\"}}",
                "{{pad .ID 99999999 1}}",
                "{{printf \"%z\" 1}}",
                "{{len}}",
                "{{.State.Status.More}}"
            })
    void what_is_no_such_template_is_refused_with_its_reason(String template) {
        assertThatThrownBy(() -> render(template))
                .isInstanceOf(TemplateException.class)
                .hasMessageNotContaining("java.");
    }

    @Test
    void a_field_that_is_not_there_is_answered_with_those_that_are() {
        assertThatThrownBy(() -> render("{{.State.Runing}}"))
                .hasMessageContaining("can't evaluate field Runing")
                .hasMessageContaining("ExitCode, Running, Status");
    }

    @Test
    void a_deep_or_long_template_is_refused_and_does_not_end_the_process() {
        assertThatThrownBy(() -> render("{{if .ID}}".repeat(10_000))).isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> render("{{" + "(".repeat(10_000))).isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> render("x".repeat(100_000))).isInstanceOf(TemplateException.class);
        String wide = "{{range .Args}}".repeat(40) + "0123456789" + "{{end}}".repeat(40);
        assertThatThrownBy(() -> Template.parse(wide).render(Map.of("Args", List.of(1L))))
                .isInstanceOf(TemplateException.class);
    }

    @Test
    void a_table_has_a_head_and_columns_as_wide_as_their_cells() {
        Table table = Table.of(
                "table {{.ID}}\\t{{.Names}}\\t{{upper .State}}", "", Map.of("ID", "CONTAINER ID", "Names", "NAMES"));

        assertThat(table.lines(List.of(
                        Map.of("ID", "1", "Names", "a-long-name", "State", "up"),
                        Map.of("ID", "1234567890abcd", "Names", "b", "State", "x"))))
                .containsExactly(
                        "CONTAINER ID     NAMES         State",
                        "1                a-long-name   UP",
                        "1234567890abcd   b             X");
        assertThat(Table.of("table {{.Label \"com.x.my-team_1\"}}", "", Map.of("Label", "LABEL"))
                        .lines(List.of()))
                .containsExactly("my team 1");
        assertThat(Table.of("json", "", Map.of()).lines(List.of(Map.of("ID", "1"))))
                .containsExactly("{\"ID\":\"1\"}");
        assertThat(Table.of("{{.ID}}", "", Map.of()).lines(List.of(Map.of("ID", "1"))))
                .containsExactly("1");
    }
}

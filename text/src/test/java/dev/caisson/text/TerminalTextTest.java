package dev.caisson.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TerminalTextTest {
    private static final String ESCAPE = "\u001b[";

    @Test
    void text_and_plain_colours_of_characters_stay() {
        for (String text : List.of(
                "plain\ttext\n",
                "é € 漢字 😀 ❤\uFE0F\n",
                ESCAPE + "31mred" + ESCAPE + "0m\n",
                ESCAPE + "1;96mbold" + ESCAPE + "m\n")) {
            assertThat(TerminalText.output(text))
                    .startsWith(text.stripTrailing())
                    .endsWith("\n");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8",
                "7",
                "30",
                "37",
                "97",
                "90",
                "40",
                "47",
                "107",
                "38;2;0;0;0",
                "38;5;0",
                "48;5;1",
                "5",
                "6",
                "9",
                "31;8",
                "0;7",
                "2;8",
                "4:3",
                "31;40",
                "28",
                "53",
                "11",
                "58;5;1"
            })
    void what_would_hide_or_pass_for_something_else_is_left_out(String parameters) {
        assertThat(TerminalText.output(ESCAPE + parameters + "mtext\n")).isEqualTo("text\n");
    }

    @Test
    void a_colour_ends_with_its_line() {
        assertThat(TerminalText.output(ESCAPE + "31mred\nnext\n")).isEqualTo(ESCAPE + "31mred" + ESCAPE + "0m\nnext\n");
        assertThat(TerminalText.output(ESCAPE + "31mred")).isEqualTo(ESCAPE + "31mred" + ESCAPE + "0m");
    }

    @Test
    void a_colour_ends_also_where_a_refused_one_or_another_character_follows_it() {
        for (String after : List.of(ESCAPE + "8m", ESCAPE + "7m", ESCAPE + "2J", "\t", "\r", "é")) {
            for (String end : List.of("", "\n", "\nnext\n")) {
                String shown = TerminalText.output(ESCAPE + "31mred" + after + "still" + end);
                assertThat(shown.lines().findFirst()).as(after).get().asString().endsWith("still" + ESCAPE + "0m");
            }
        }
    }

    @Test
    void every_control_and_format_character_is_replaced() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            boolean control = c < 0x20 || (c >= 0x7f && c < 0xa0);
            boolean format = Character.getType(c) == Character.FORMAT || c == 0x2028 || c == 0x2029;
            boolean invisible = c == 0x3164 || c == 0x115F || c == 0x2800;
            if (control || format || invisible || (c >= 0xD800 && c <= 0xDFFF)) {
                String text = "a" + Character.toString(c) + "b";
                assertThat(TerminalText.isUnfit(c)).as("U+%04X", c).isTrue();
                assertThat(TerminalText.line(text)).as("U+%04X", c).isIn("a b", "a\uFFFDb");
                assertThat(Quoted.of(text)).as("U+%04X", c).startsWith("\"a\\u");
                if (c != '\n' && c != '\t') {
                    assertThat(TerminalText.output(text)).as("U+%04X", c).isEqualTo("a\uFFFDb");
                }
            }
        }
        assertThat(TerminalText.output("\u001b]0;title\u0007 \u001b[2J \u001b[6n \u009b2J \u202e m"))
                .isEqualTo("\uFFFD]0;title\uFFFD \uFFFD[2J \uFFFD[6n \uFFFD2J \uFFFD m");
    }

    @Test
    void letters_that_show_nothing_are_unfit_and_their_neighbours_are_not() {
        for (int invisible : new int[] {
            0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F, 0x2800, 0x3164, 0xFFA0,
            0xE0000, 0xE0100, 0xE01EF, 0xE0FFF
        }) {
            assertThat(TerminalText.isUnfit(invisible)).as("U+%04X", invisible).isTrue();
        }
        for (int seen : new int[] {
            0x034E, 0x0350, 0x115E, 0x1161, 0x17B3, 0x17B6, 0x180A, 0x1810, 0x27FF, 0x2801, 0x3163, 0x3165, 0xFFA1,
            0xDFFFF, 0xE1000, 0xFE0F, 0x20E3
        }) {
            assertThat(TerminalText.isUnfit(seen)).as("U+%04X", seen).isFalse();
        }
    }

    @Test
    void a_line_has_a_blank_for_each_tab_and_line_end_and_a_replacement_for_all_else_that_is_unfit() {
        assertThat(TerminalText.line("a\tb\nc\rd")).isEqualTo("a b c d");
        assertThat(TerminalText.line("a\u001b[31mb\u0000c\u202ed")).isEqualTo("a\uFFFD[31mb\uFFFDc\uFFFDd");
    }

    @Test
    void json_keeps_its_own_line_ends() {
        String plain = "{\n\t\"a\": \"~\"\n}\n";

        assertThat(TerminalText.json(plain)).isEqualTo(plain);
        assertThat(TerminalText.json("{\n\"a\": \"\u202e~\u007f\"\n}")).isEqualTo("{\n\"a\": \"\\u202e~\\u007f\"\n}");
    }

    @Test
    void a_carriage_return_that_would_overwrite_the_line_is_replaced() {
        assertThat(TerminalText.output("secret\rcaisson")).isEqualTo("secret\uFFFDcaisson");
        assertThat(TerminalText.output("dos\r\nline\r")).isEqualTo("dos\nline");
        assertThat(TerminalText.output("dos\r\r\r\nline\r\r\r")).isEqualTo("dos\nline");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "caisson: KILLED: by nobody\n",
                "CAISSON: x\n",
                "   caisson: x\n",
                "\u001b[31mcais\u001b[32mson: x\n",
                "cais\u001b[8mson: x\n",
                "filled up to the edge                                caisson: x\n",
            })
    void a_line_of_the_container_does_not_pass_for_ours(String line) {
        String shown = TerminalText.output(line).replaceAll("\u001b\\[[0-9;]*m", "");
        assertThat(shown).doesNotMatch("(?is).*(?<!\\\\)caisson:.*").contains("\\");
    }

    @Test
    void json_stays_the_same_document_with_nothing_for_a_terminal_in_it() {
        String text = "\u009b2J\u202e é 😀 \u2028\udb40\udc41 \u007f";
        String json = TerminalText.json("{\"log\":\"" + text + "\"}");

        assertThat(json.codePoints().filter(TerminalText::isUnfit)).isEmpty();
        assertThat(json).contains("é 😀");
        assertThat(Json.parseObject(json, Json.Limits.DEFAULT)).containsEntry("log", text);
    }
}

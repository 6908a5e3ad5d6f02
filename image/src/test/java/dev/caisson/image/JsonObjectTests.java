package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Members of a document by their type, and documents that are of another.
class JsonObjectTests {
    private static JsonObject object(String json) {
        return JsonObject.parse("the manifest", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static List<JsonObject> list(String json) {
        return JsonObject.parseArray("the manifest", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static void assertBad(String sentence, org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt).isInstanceOfSatisfying(ImageException.class, e -> {
            assertThat(e.reason()).isEqualTo(Code.BAD_MANIFEST);
            assertThat(e).hasMessageContaining(sentence);
        });
    }

    @Test
    void members_have_the_type_that_is_asked_for() {
        JsonObject object = object("{'s':'text','n':7,'o':{'a':'b'},'l':['x','y'],'os':[{'i':1},{'i':2}],'none':null}");

        assertThat(object.string("s")).contains("text");
        assertThat(object.required("s")).isEqualTo("text");
        assertThat(object.number("n")).contains(7L);
        assertThat(object.strings("l")).containsExactly("x", "y");
        assertThat(object.stringMap("o")).isEqualTo(Map.of("a", "b"));
        assertThat(object.keys("o")).containsExactly("a");
        assertThat(object.object("o").orElseThrow().string("a")).contains("b");
        assertThat(object.objects("os"))
                .extracting(each -> each.number("i").orElseThrow())
                .containsExactly(1L, 2L);
        assertThat(object.has("s")).isTrue();
    }

    @Test
    void members_of_a_map_that_are_null_are_not_there() {
        assertThat(object("{'m':{'a':null,'b':'c'}}").stringMap("m")).isEqualTo(Map.of("b", "c"));
        assertThat(object("{'m':{'a':null,'b':{}}}").keys("m")).containsExactly("b");
    }

    @Test
    void what_is_missing_or_null_is_nothing() {
        JsonObject object = object("{'none':null}");

        for (String key : List.of("none", "absent")) {
            assertThat(object.has(key)).isFalse();
            assertThat(object.string(key)).isEmpty();
            assertThat(object.number(key)).isEmpty();
            assertThat(object.object(key)).isEmpty();
            assertThat(object.objects(key)).isEmpty();
            assertThat(object.strings(key)).isEmpty();
            assertThat(object.stringMap(key)).isEmpty();
            assertThat(object.keys(key)).isEmpty();
            assertBad("has no " + key, () -> object.required(key));
        }
    }

    @Test
    void another_type_is_refused() {
        JsonObject object = object("{'s':7,'l':['x',1],'os':[{},'x'],'o':{'a':1}}");

        assertBad("a s of a wrong type", () -> object.string("s"));
        assertBad("something else than strings in l", () -> object.strings("l"));
        assertBad("something else than strings in o", () -> object.stringMap("o"));
        assertBad("something else than objects", () -> object.objects("os"));
        assertBad("is not an object", () -> object("[]"));
        assertBad("is not a list", () -> list("{}"));
        assertBad("something else than objects", () -> list("[1]"));
    }

    @Test
    void a_list_is_read_whole() {
        assertThat(list("[]")).isEmpty();
        assertThat(list("[{'a':'b'},{}]"))
                .hasSize(2)
                .first()
                .extracting(each -> each.required("a"))
                .isEqualTo("b");
    }

    @Test
    void a_key_that_differs_by_case_alone_is_refused() {
        JsonObject object = object("{'Layers':[],'config':{}}");

        assertBad("which is read as layers", () -> object.has("layers"));
        assertThat(object.has("config")).isTrue();
        assertBad("of the image", () -> object("{'a':1,'a':2}"));
    }
}

package dev.caisson.cli.text;

import dev.caisson.text.TerminalText;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.util.Map;

/// An object for programs in one line: texts, numbers, truth values, and lists and objects of these. What a
/// terminal would act on is escaped.
public final class JsonText {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    private JsonText() {}

    public static String of(Map<String, Object> fields) {
        return TerminalText.json(JSON.toJson(fields));
    }
}

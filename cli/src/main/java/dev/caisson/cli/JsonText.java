package dev.caisson.cli;

import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.util.Map;

/// An object for programs in one line: texts, numbers, truth values, and lists and objects of these.
final class JsonText {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    private JsonText() {}

    static String of(Map<String, Object> fields) {
        return JSON.toJson(fields);
    }
}

package dev.caisson.scan;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Files of the forms in which secrets leak, made of a name and a value.
final class Forms {
    /// Makes a file.
    @FunctionalInterface
    interface Form {
        byte[] of(String name, String value);
    }

    private Forms() {}

    private static Form text(String template) {
        return text(template, UnaryOperator.identity());
    }

    /// A text in which NAME, Name and VALUE are replaced.
    private static Form text(String template, UnaryOperator<String> written) {
        return (name, value) -> template.replace("NAME", name)
                .replace("Name", name.toLowerCase(Locale.ROOT).replace('_', '.'))
                .replace("VALUE", written.apply(value))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String string(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    private static String xml(String value) {
        return value.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    private static String base64(String value) {
        return Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String each(String value, String format) {
        var all = new StringBuilder();
        value.chars().forEach(c -> all.append(String.format(format, c)));
        return all.toString();
    }

    private static Form wide(Charset charset) {
        return (name, value) -> ("\ufeff[connection]\r\n" + name + "=" + value + "\r\nport=5432\r\n").getBytes(charset);
    }

    /// Returns all forms by name; the name is the file's extension as well.
    static Map<String, Form> all() {
        Map<String, Form> all = new LinkedHashMap<>();
        all.put("plain.txt", text("VALUE\n"));
        all.put("prose.md", text("# Access\n\nUse `VALUE` to log in, and ask before you do.\n"));
        all.put("double.cfg", text("NAME = \"VALUE\"\n", Forms::string));
        all.put("single.rb", text("config.NAME = 'VALUE'\n", Forms::string));
        all.put("pretty.json", text("{\n  \"user\": \"app\",\n  \"Name\": \"VALUE\"\n}\n", Forms::string));
        all.put("small.json", text("{\"a\":[{\"NAME\":\"VALUE\"}],\"b\":1}", Forms::string));
        all.put("nested.json", text("{\"body\":\"{\\\"NAME\\\":\\\"VALUE\\\"}\"}", value -> string(string(value))));
        all.put(
                "bare.yaml",
                text("database:\n  user: app\n  NAME: VALUE\n  port: 1\n", value -> value.replace("\n", "\n    ")));
        all.put("quoted.yaml", text("- name: NAME\n  value: \"VALUE\"\n", Forms::string));
        all.put("block.yaml", text("NAME: |\n  VALUE\nother: 1\n", value -> value.replace("\n", "\n  ")));
        all.put("app.env", text("HOST=db\nNAME=VALUE\nPORT=1\n", Forms::string));
        all.put("export.sh", text("#!/bin/sh\nexport NAME='VALUE'\nexec app\n"));
        all.put("Dockerfile", text("FROM a\nENV NAME=\"VALUE\" PORT=1\nCMD [\"a\"]\n", Forms::string));
        all.put("Containerfile", text("FROM a\nARG NAME=VALUE\nRUN a\n", Forms::string));
        all.put("compose.yaml", text("services:\n  a:\n    environment:\n      - NAME=VALUE\n", Forms::string));
        all.put("secret.yaml", text("kind: Secret\ndata:\n  NAME: VALUE\n", Forms::base64));
        all.put("app.properties", text("server.port=80\nName=VALUE\n", Forms::string));
        all.put("app.ini", text("[main]\nNAME = VALUE\n", Forms::string));
        all.put("app.toml", text("[main]\nNAME = '''VALUE'''\n"));
        all.put("element.xml", text("<a><NAME>VALUE</NAME></a>\n", Forms::xml));
        all.put("attribute.xml", text("<add key=\"NAME\" value=\"VALUE\"/>\n", Forms::xml));
        all.put("A.java", text("class A {\n    String NAME = \"VALUE\";\n}\n", Forms::string));
        all.put("a.py", text("client = Client(Name=\"VALUE\")\n", Forms::string));
        all.put("a.go", text("package a\n\nvar NAME = `VALUE`\n"));
        all.put("a.min.js", text("!function(){var a=1,b={NAME:\"VALUE\",c:2};return b}();", Forms::string));
        all.put("a.h", text("#define NAME \"VALUE\"\n", Forms::string));
        all.put("a.sql", text("INSERT INTO settings VALUES (1, 'NAME', 'VALUE');\n"));
        all.put("a.tf", text("variable \"a\" {\n  NAME = \"VALUE\"\n}\n", Forms::string));
        all.put("request.http", text("GET / HTTP/1.1\r\nHost: a\r\nX-NAME: VALUE\r\n\r\n", Forms::string));
        all.put("url.txt", text("see https://api.corp/v1/get?a=1&NAME=VALUE&b=2 for it\n", Forms::string));
        all.put(
                "app.log",
                text("2026-01-01T00:00:00Z INFO [main] a.b.C - started with NAME=VALUE, port=1\n", Forms::string));
        all.put("json.log", text("{\"ts\":1,\"msg\":\"NAME=VALUE\"}\n", Forms::string));
        all.put("run.sh", text("app --verbose --Name VALUE --port 1\n", Forms::string));
        all.put("table.csv", text("id,name,value\n1,NAME,\"VALUE\"\n"));
        all.put("a.diff", text("@@ -1 +1 @@\n-NAME=\n+NAME=VALUE\n", Forms::string));
        all.put("base64.txt", text("blob: VALUE\n", Forms::base64));
        all.put(
                "inside.txt",
                (name, value) -> text("blob VALUE\n", Forms::base64)
                        .of("", "{\"user\":\"app\",\"" + name + "\":\"" + string(value) + "\",\"port\":5432}"));
        all.put(
                "lines.pem",
                (name, value) -> Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encode(("host = db\n" + name + " = \"" + string(value) + "\"\nport = 1\n# " + "-".repeat(70))
                                .getBytes(StandardCharsets.ISO_8859_1)));
        all.put("twice.txt", text("blob: VALUE\n", value -> base64(base64(value))));
        all.put(
                "hex.txt",
                text("blob: VALUE\n", value -> HexFormat.of().formatHex(value.getBytes(StandardCharsets.ISO_8859_1))));
        all.put("percent.txt", text("q=VALUE&b=1\n", value -> each(value, "%%%02X")));
        all.put("escaped.c", text("char *a = \"VALUE\";\n", value -> each(value, "\\x%02x")));
        all.put("unicode.json", text("{\"a\":\"VALUE\"}\n", value -> each(value, "\\u%04x")));
        all.put("little.reg", wide(StandardCharsets.UTF_16LE));
        all.put("big.txt", wide(StandardCharsets.UTF_16BE));
        all.put("core.bin", (name, value) -> {
            byte[] bytes = new byte[4000];
            new Random(value.hashCode()).nextBytes(bytes);
            byte[] inside = ("\0" + name + "=" + value + "\0").getBytes(StandardCharsets.ISO_8859_1);
            System.arraycopy(inside, 0, bytes, 1000, Math.min(inside.length, 3000));
            return bytes;
        });
        all.put("a.zip", (name, value) -> zip("conf/app.env", app(name, value)));
        all.put("a.jar", (name, value) -> zip("lib/b.jar", zip("app.env", app(name, value))));
        all.put("a.tar", (name, value) -> tar("etc/app.env", app(name, value)));
        all.put("a.tar.gz", (name, value) -> gzip(tar("etc/app.env", app(name, value))));
        all.put("a.log.gz", (name, value) -> gzip(app(name, value)));
        return all;
    }

    private static byte[] app(String name, String value) {
        return text("HOST=db\nNAME=VALUE\nPORT=1\n", Forms::string).of(name, value);
    }

    private static byte[] zip(String name, byte[] content) {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] gzip(byte[] content) {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] tar(String name, byte[] content) {
        byte[] archive = new byte[512 + (content.length + 511) / 512 * 512 + 1024];
        put(archive, 0, name);
        put(archive, 100, "0000644\0");
        put(archive, 124, String.format("%011o", content.length));
        archive[156] = '0';
        put(archive, 257, "ustar\00000");
        System.arraycopy(content, 0, archive, 512, content.length);
        return archive;
    }

    private static void put(byte[] archive, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, archive, at, bytes.length);
    }
}

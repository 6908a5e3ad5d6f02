package dev.caisson.cli.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A part of a template.
sealed interface Node {
    void render(Scope scope, Output out);

    /// Prints what stands in the head of a table.
    void header(UnaryOperator<String> headers, Output out);

    record Text(String text) implements Node {
        @Override
        public void render(Scope scope, Output out) {
            out.print(text);
        }

        @Override
        public void header(UnaryOperator<String> headers, Output out) {
            out.print(text);
        }
    }

    /// `{{pipeline}}`
    record Print(Expression value) implements Node {
        @Override
        public void render(Scope scope, Output out) {
            out.print(Values.text(value.value(scope)));
        }

        @Override
        public void header(UnaryOperator<String> headers, Output out) {
            value.field().ifPresent(name -> out.print(headers.apply(name)));
        }
    }

    /// `{{$name := pipeline}}`
    record Assign(String name, Expression value) implements Node {
        @Override
        public void render(Scope scope, Output out) {
            scope.set(name, value.value(scope));
        }

        @Override
        public void header(UnaryOperator<String> headers, Output out) {
            // prints nothing
        }
    }

    /// `{{if}}`, or `{{with}}`, which makes the value the dot.
    record If(Expression condition, boolean rebinds, List<Node> then, List<Node> otherwise) implements Node {
        @Override
        public void render(Scope scope, Output out) {
            Object value = condition.value(scope);
            boolean holds = Values.isTrue(value);
            Scope inner = scope.with(holds && rebinds ? value : scope.dot());
            (holds ? then : otherwise).forEach(node -> node.render(inner, out));
        }

        @Override
        public void header(UnaryOperator<String> headers, Output out) {
            then.forEach(node -> node.header(headers, out));
        }
    }

    /// `{{range}}`, with the names of its key and its value, empty where they have none.
    record Range(Expression over, String key, String value, List<Node> body, List<Node> otherwise) implements Node {
        private record Entry(Object key, @Nullable Object value) {}

        @Override
        public void render(Scope scope, Output out) {
            List<Entry> entries = entries(over.value(scope));
            if (entries.isEmpty()) {
                Scope inner = scope.with(scope.dot());
                otherwise.forEach(node -> node.render(inner, out));
            }
            for (Entry entry : entries) {
                Scope inner = scope.with(entry.value());
                name(key).ifPresent(name -> inner.set(name, entry.key()));
                name(value).ifPresent(name -> inner.set(name, entry.value()));
                body.forEach(node -> node.render(inner, out));
            }
        }

        private static Optional<String> name(String name) {
            return Optional.of(name).filter(text -> !text.isEmpty());
        }

        /// The entries of a map in the order of their keys, as Go's.
        private static List<Entry> entries(@Nullable Object value) {
            var entries = new ArrayList<Entry>();
            switch (value) {
                case null -> {}
                case List<?> list -> {
                    long index = 0;
                    for (Object one : list) {
                        entries.add(new Entry(index++, one));
                    }
                }
                case Map<?, ?> map ->
                    new TreeMap<Object, @Nullable Object>(Values.listed(map))
                            .forEach((k, v) -> entries.add(new Entry(k, v)));
                case Template.Dictionary map ->
                    new TreeMap<Object, Object>(map.entries()).forEach((k, v) -> entries.add(new Entry(k, v)));
                default -> throw new TemplateException("range can't iterate over " + Values.text(value));
            }
            return entries;
        }

        @Override
        public void header(UnaryOperator<String> headers, Output out) {
            body.forEach(node -> node.header(headers, out));
        }
    }
}

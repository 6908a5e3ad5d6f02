package dev.caisson.cli.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What stands in an action and has a value.
sealed interface Expression {
    @Nullable
    Object value(Scope scope);

    /// The name of the field that it is about: the last of a chain, or of a function's arguments.
    Optional<String> field();

    record Literal(@Nullable Object constant) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return constant;
        }

        @Override
        public Optional<String> field() {
            return Optional.empty();
        }
    }

    /// `.A.B`, `$x.A`, `(pipeline).A`; without names the start itself.
    record Fields(Optional<Expression> start, List<String> names) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            Object value = start.isPresent() ? start.get().value(scope) : scope.dot();
            for (String name : names) {
                value = step(value, name);
            }
            return value;
        }

        private static @Nullable Object step(@Nullable Object value, String name) {
            return switch (value) {
                case Map<?, ?> map -> {
                    if (!map.containsKey(name)) {
                        throw new TemplateException("can't evaluate field " + name + " in --format; there are "
                                + String.join(
                                        ", ",
                                        map.keySet().stream()
                                                .map(String::valueOf)
                                                .sorted()
                                                .toList()));
                    }
                    yield map.get(name) instanceof Template.Unlisted unlisted ? unlisted.value() : map.get(name);
                }
                case Template.Dictionary map ->
                    map.entries().containsKey(name) ? map.entries().get(name) : Values.NONE;
                case null -> throw new TemplateException("nil pointer evaluating field " + name + " in --format");
                default ->
                    throw new TemplateException(
                            "can't evaluate field " + name + " in --format: " + Values.text(value) + " has no fields");
            };
        }

        @Override
        public Optional<String> field() {
            return names.isEmpty() ? start.flatMap(Expression::field) : Optional.of(names.getLast());
        }
    }

    /// A field with its argument.
    record Looked(Fields lookup, Expression argument) implements Expression {
        @Override
        public Object value(Scope scope) {
            Object argument = this.argument.value(scope);
            if (lookup.value(scope) instanceof Template.Lookup found && argument instanceof String text) {
                return found.of().apply(text);
            }
            throw new TemplateException(String.join(".", lookup.names()) + " in --format takes no argument, or a text");
        }

        @Override
        public Optional<String> field() {
            return argument instanceof Literal(String text) ? Optional.of(header(text)) : argument.field();
        }

        /// Returns what Docker writes over a column of labels: `my team` for `com.example.my-team`.
        private static String header(String label) {
            return label.substring(label.lastIndexOf('.') + 1).replaceAll("[-_]", " ");
        }
    }

    record Variable(String name) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            return scope.variable(name);
        }

        @Override
        public Optional<String> field() {
            return Optional.empty();
        }
    }

    /// A function with its arguments; the last of a pipeline is given what came before it as its last argument.
    record Call(Function function, List<Expression> arguments) implements Expression {
        @Override
        public @Nullable Object value(Scope scope) {
            if (function.isLazy()) {
                return choose(scope);
            }
            var values = new ArrayList<@Nullable Object>();
            arguments.forEach(argument -> values.add(argument.value(scope)));
            return function.apply(values);
        }

        /// `and` and `or` look at no more arguments than they need.
        private @Nullable Object choose(Scope scope) {
            Object value = null;
            for (Expression argument : arguments) {
                value = argument.value(scope);
                if (Values.isTrue(value) == (function == Function.OR)) {
                    return value;
                }
            }
            return value;
        }

        @Override
        public Optional<String> field() {
            return arguments.stream()
                    .map(Expression::field)
                    .flatMap(Optional::stream)
                    .findFirst();
        }
    }
}

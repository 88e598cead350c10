package io.holdfast.broker.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import io.holdfast.broker.meters.GoNumberSerializer;
import io.holdfast.broker.net.WellFormed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;

/**
 * Compact JSON byte for byte as nsqd writes it: {@code < > &}, U+2028 and U+2029 escaped, hex
 * digits in lower case, numbers without a trailing {@code .0}. Thread-safe.
 */
final class JsonText {
  private static final ObjectMapper MAPPER = newMapper();

  private JsonText() {}

  /** Returns {@code value} as JSON in UTF-8. */
  static byte[] write(Object value) {
    try {
      return MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      // Only our own records come here: a value that cannot be written is a bug.
      throw new IllegalStateException("cannot write " + value.getClass() + " as JSON", e);
    }
  }

  /**
   * Reads one JSON value and nothing behind it.
   *
   * @return null if the bytes are something else
   */
  static JsonNode readOrNull(byte[] json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(e); // reading from an array
    }
  }

  private static ObjectMapper newMapper() {
    ObjectMapper mapper =
        new ObjectMapper(
            JsonFactory.builder()
                .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                .build());
    mapper.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    mapper.getFactory().setCharacterEscapes(new GoEscapes());
    mapper.registerModule(
        new SimpleModule()
            .addSerializer(String.class, new WellFormedSerializer())
            .addSerializer(Double.class, new GoNumberSerializer())
            .addSerializer(double.class, new GoNumberSerializer()));
    return mapper;
  }

  /** Half a character would make all of the answer no JSON. */
  private static final class WellFormedSerializer extends StdScalarSerializer<String> {
    private static final long serialVersionUID = 1L;

    WellFormedSerializer() {
      super(String.class);
    }

    /** Or what is left out when it is empty would be there for everybody. */
    @Override
    public boolean isEmpty(SerializerProvider provider, String value) {
      return value.isEmpty();
    }

    @Override
    public void serialize(String value, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      json.writeString(WellFormed.of(value));
    }
  }

  private static final class GoEscapes extends CharacterEscapes {
    private static final long serialVersionUID = 1L;
    private final int[] ascii = standardAsciiEscapesForJSON();
    private final SerializedString[] sequences = new SerializedString[128];
    private final SerializedString lineSeparator = new SerializedString("\\u2028");
    private final SerializedString paragraphSeparator = new SerializedString("\\u2029");

    GoEscapes() {
      for (int c = 0; c < sequences.length; c++) {
        // STANDARD is where Jackson writes \\u00XX, in upper case.
        if (ascii[c] == ESCAPE_STANDARD || c == '<' || c == '>' || c == '&') {
          ascii[c] = ESCAPE_CUSTOM;
          sequences[c] = new SerializedString(String.format(Locale.ROOT, "\\u%04x", c));
        }
      }
    }

    @Override
    public int[] getEscapeCodesForAscii() {
      return Arrays.copyOf(ascii, ascii.length);
    }

    @Override
    public SerializableString getEscapeSequence(int c) {
      return switch (c) {
        case 0x2028 -> lineSeparator;
        case 0x2029 -> paragraphSeparator;
        default -> c < sequences.length ? sequences[c] : null;
      };
    }
  }
}

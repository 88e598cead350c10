package io.holdfast.broker.meters;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import java.io.IOException;
import java.math.BigDecimal;

/**
 * Writes doubles as nsqd does: {@code 1} and {@code 0.001} where Java has {@code 1.0} and {@code
 * 0.001}.
 */
public final class GoNumberSerializer extends JsonSerializer<Double> {
  @Override
  public void serialize(Double value, JsonGenerator json, SerializerProvider provider)
      throws IOException {
    json.writeNumber(new BigDecimal(value.toString()).stripTrailingZeros().toPlainString());
  }
}

package io.holdfast.broker.stats;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.holdfast.broker.limits.MemoryBudget;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How the broker's memory is divided and what of it is used, in bytes as their users estimate them.
 *
 * @param limitBytes of all parts together
 * @param usedBytes of all parts together
 * @param parts by name
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record MemoryBudgetStats(long limitBytes, long usedBytes, Map<String, Part> parts) {
  /** One part. It can use more than its limit where something had to go on. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Part(long limitBytes, long usedBytes) {}

  /** Reads the current values. */
  public static MemoryBudgetStats of(MemoryBudget budget) {
    Map<String, Part> parts = new LinkedHashMap<>();
    long limit = 0;
    long used = 0;
    for (Map.Entry<String, MemoryBudget.Usage> part : budget.parts().entrySet()) {
      MemoryBudget.Usage usage = part.getValue();
      parts.put(part.getKey(), new Part(usage.limitBytes(), usage.usedBytes()));
      limit += usage.limitBytes();
      used += usage.usedBytes();
    }
    return new MemoryBudgetStats(limit, used, parts);
  }
}

/** {@code bench}: load on any NSQ broker, by {@link io.holdfast.tools.bench.load}. */
package io.holdfast.tools.bench;

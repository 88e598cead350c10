/** What is counted and timed while messages pass, and how percentiles come of it. */
package io.holdfast.broker.meters;

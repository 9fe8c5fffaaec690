import { planOf } from './plan.ts';
import { plot } from './plot.ts';
import { SimulationRecord } from './record.ts';

describe('the plot of a simulation', () => {
  it('shows the load, the soonest expiry and the outages, every part with an end', () => {
    const record = new SimulationRecord(0, 2 * 86_400_000);
    record.call(60_000);
    record.soonestMs.push(Infinity, 3_600_000, 7_200_000);
    const plan = planOf(3, 2);
    const svg = plot(record, { title: 'a run', days: 2, plan, rate: 60, sampleMs: 600_000 });
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(svg.match(/<polyline/g)!.length).toBeGreaterThan(4);
    expect(svg.match(/#f3c4c4/g)).toHaveLength(3);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    for (const [, name = ''] of svg.matchAll(/<(svg|text)\b/g))
      expect(svg.split(`<${name}`)).toHaveLength(svg.split(`</${name}>`).length);
  });
});

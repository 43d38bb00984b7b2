-- What must be true of every job at every moment: each row must count 0 violations.
--
--   psql "$DATABASE_URL" -f migrations/invariants.sql
--
-- Reads what its role may see: a superuser all tenants, the application the tenant that is set.
-- I14 holds while workers run: where none did for a while, leases that ran out wait for the next one.

with calls as (
  select organization_id, job_id,
         coalesce(sum(estimate_nanousd) filter (where state = 'intent'), 0) as reserved,
         coalesce(sum(case state when 'settled' then cost_nanousd when 'unknown' then estimate_nanousd end), 0) as spent,
         count(*) filter (where (state = 'settled' and cost_nanousd is null)
                             or (state = 'unknown' and estimate_nanousd is null)) as unpriced
    from assay.model_calls group by organization_id, job_id
), items as (
  select q.*, r.lease_token as result_token, a.*,
         (r.case_no, r.prompt_no, r.model_no, r.repeat_no) as answered,
         ((q.case_no::bigint * j.prompt_count + q.prompt_no) * j.model_count + q.model_no) * j.repeat_count
           + q.repeat_no as number,
         j.state in ('completed', 'failed', 'cancelled') as finished, j.max_crashes
    from assay.evaluation_queue q
    join assay.evaluation_jobs j on j.organization_id = q.organization_id and j.id = q.job_id
   cross join lateral (
         select count(*) filter (where c.counts) as counted,
                count(*) filter (where c.lost) as lost,
                count(*) filter (where c.state = 'intent' and c.role = 'target') as open,
                max(c.lease_token) filter (where c.state = 'intent' and c.role = 'target') as open_token,
                count(*) filter (where c.state = 'intent' and c.role = 'judge'
                                   and c.opened_at < clock_timestamp() - interval '1 hour') as old_judge_calls
           from assay.model_calls c
          where c.organization_id = q.organization_id and c.job_id = q.job_id and c.item_no = q.item_no) a
    left join lateral (
         select * from assay.evaluation_results r
          where r.organization_id = q.organization_id and r.job_id = q.job_id and r.item_no = q.item_no
          limit 1) r on true
), item_checks as (
  select count(*) filter (where state = 'succeeded' and result_token is null) as i01,
         count(*) filter (where state <> 'succeeded' and result_token is not null) as i02,
         count(*) filter (where result_token <> lease_token) as i03,
         count(*) filter (where item_no <> number or (result_token is not null
                            and answered <> (case_no, prompt_no, model_no, repeat_no))) as i04,
         count(*) filter (where finished and state in ('ready', 'leased')) as i06,
         count(*) filter (where open > 0 and not (state = 'leased' and lease_token = open_token)) as i10,
         count(*) filter (where state = 'leased' and open <> 1) as i11,
         count(*) filter (where attempts <> counted) as i12,
         count(*) filter (where crashes <> lost) as i13,
         count(*) filter (where isfinite(lease_expires_at)
                            and lease_expires_at < clock_timestamp() - interval '5 minutes') as i14,
         count(*) filter (where state = 'dead' and solo_crashes < max_crashes) as i16,
         count(*) filter (where old_judge_calls > 0) as i22
    from items
), jobs as (
  select j.*, coalesce(c.reserved, 0) as reserved, coalesce(c.spent, 0) as spent, coalesce(c.unpriced, 0) as unpriced,
         j.expanded_cases >= least(upper(range_merge(j.selection)), v.case_count) as expanded,
         (select count(*) from assay.evaluation_queue q
           where q.organization_id = j.organization_id and q.job_id = j.id) as cells
    from (select * from assay.evaluation_jobs where pruned_at is null) j
    join assay.dataset_versions v on v.organization_id = j.organization_id and v.id = j.dataset_version_id
    left join calls c on c.organization_id = j.organization_id and c.job_id = j.id
), job_checks as (
  select count(*) filter (where expanded and planned <> cells or state = 'completed' and not expanded) as i05,
         count(*) filter (where reserved_nanousd <> reserved) as i07,
         count(*) filter (where spent_nanousd <> spent) as i08,
         count(*) filter (where spent_nanousd + reserved_nanousd > cap_nanousd) as i09,
         count(*) filter (where unpriced_calls <> unpriced) as i17
    from jobs
), counted as (
  select j.ready_items, j.leased_items, j.succeeded_items, j.failed_items, j.dead_items, j.cancelled_items,
         count(q.item_no) filter (where q.state = 'ready') as ready,
         count(q.item_no) filter (where q.state = 'leased') as leased,
         count(q.item_no) filter (where q.state = 'succeeded') as succeeded,
         count(q.item_no) filter (where q.state = 'failed') as failed,
         count(q.item_no) filter (where q.state = 'dead') as dead,
         count(q.item_no) filter (where q.state = 'cancelled') as cancelled
    from assay.evaluation_jobs j
    left join assay.evaluation_queue q on q.organization_id = j.organization_id and q.job_id = j.id
   where j.pruned_at is null
   group by j.organization_id, j.id
), counts_check as (
  select count(*) filter (where (ready_items, leased_items, succeeded_items, failed_items, dead_items,
                                 cancelled_items) <> (ready, leased, succeeded, failed, dead, cancelled)) as i18
    from counted
), summed as (
  select s.scored, s.value_sum, count(m.value) as scores, coalesce(sum(m.value), 0) as total
    from assay.evaluation_job_summaries s
    join assay.evaluation_jobs j on j.organization_id = s.organization_id and j.id = s.job_id
    left join assay.evaluation_results r
      on r.organization_id = s.organization_id and r.job_id = s.job_id and r.prompt_no = s.prompt_no
     and r.model_no = s.model_no
    left join assay.metric_scores m
      on m.organization_id = r.organization_id and m.job_id = r.job_id and m.item_no = r.item_no
     and m.metric = s.metric
   where j.pruned_at is null
   group by s.organization_id, s.job_id, s.prompt_no, s.model_no, s.metric, s.scored, s.value_sum
), sums_check as (
  select count(*) filter (where scored <> scores
                             or abs(value_sum - total) > 1e-6 * greatest(1, abs(total))) as i19
    from summed
), costs as (
  select coalesce(sum(k.cost_nanousd), 0) as cost, j.spent_nanousd
    from assay.evaluation_jobs j
    left join assay.call_costs k on k.organization_id = j.organization_id and k.job_id = j.id
   group by j.organization_id, j.id
), orphans as (
  select (select count(*) from assay.metric_scores m
           where not exists (select from assay.evaluation_results r
                              where r.organization_id = m.organization_id and r.job_id = m.job_id
                                and r.item_no = m.item_no))
       + (select count(*) from assay.evaluation_results r
           where not exists (select from assay.evaluation_queue q
                              where q.organization_id = r.organization_id and q.job_id = r.job_id
                                and q.item_no = r.item_no))
       + (select count(*) from assay.model_calls c
           where not exists (select from assay.evaluation_queue q
                              where q.organization_id = c.organization_id and q.job_id = c.job_id
                                and q.item_no = c.item_no)) as i21
), canaries_check as (
  select count(*) filter (where not exists (
           select from jsonb_array_elements((j.plan -> 'metrics') || (j.added_metrics -> 'metrics')) m
            where m ->> 'name' = c.metric)) as i23
    from assay.judge_canaries c
    join assay.evaluation_jobs j on j.organization_id = c.organization_id and j.id = c.job_id
), costs_check as (
  select count(*) filter (where cost <> spent_nanousd) as i20 from costs
)
select c.invariant, c.violations
  from item_checks i cross join job_checks j cross join counts_check n cross join sums_check s
 cross join costs_check k cross join canaries_check y cross join orphans o cross join lateral (values
    ('I01 succeeded item without a result', i.i01),
    ('I02 result of an item that did not succeed', i.i02),
    ('I03 result by another lease than the last one', i.i03),
    ('I04 number of an item that does not tell its place in the grid', i.i04),
    ('I05 expanded job without all its items, or completed without being expanded', j.i05),
    ('I06 finished job with open items', i.i06),
    ('I07 reserved money that is not that of the open calls', j.i07),
    ('I08 spent money that is not that of the closed calls', j.i08),
    ('I09 more money spent and reserved than the cap', j.i09),
    ('I10 open call whose lease is gone', i.i10),
    ('I11 leased item without exactly one open call', i.i11),
    ('I12 attempts that are not the calls which count', i.i12),
    ('I13 crashes that are not the lost calls', i.i13),
    ('I14 lease that ran out long ago', i.i14),
    ('I16 dead item below the limit of crashes', i.i16),
    ('I17 calls of unknown price that are not counted as such', j.i17),
    ('I18 counters of items that are not the items', n.i18),
    ('I19 summaries that are not those of the scores', s.i19),
    ('I20 costs by day that are not the spent money', k.i20),
    ('I21 scores, results or calls of what is not there', o.i21),
    ('I22 judge asked an hour ago that has not answered', i.i22),
    ('I23 canary of a metric that its job does not have', y.i23)
  ) as c (invariant, violations)
 order by c.invariant;

-- A deleted document is gone from the answers that rest on it, whichever way it was deleted.

create function strike_answers_of_deleted_documents() returns trigger
language plpgsql as $$
begin
    with struck as (
        delete from citations c using gone
        where c.organization_id = gone.organization_id and c.document_id = gone.id
        returning c.organization_id, c.answer_id, c.number
    ), numbers as (
        select organization_id, answer_id, array_agg(number) as numbers from struck group by 1, 2
    )
    update answers a
    set redacted = true,
        sentences = (select coalesce(jsonb_agg(s.sentence order by s.place), '[]')
                     from jsonb_array_elements(a.sentences) with ordinality as s (sentence, place)
                     where not exists (select from jsonb_array_elements(s.sentence -> 'citations') as n
                                       where n.value::integer = any (numbers.numbers)))
    from numbers
    where a.organization_id = numbers.organization_id and a.id = numbers.answer_id;
    return null;
end $$;
comment on function strike_answers_of_deleted_documents() is 'Removes the words of deleted documents from stored answers: citations, and the sentences that rest on them.';

create trigger documents_strike_answers after delete on documents
referencing old table as gone for each statement execute function strike_answers_of_deleted_documents();

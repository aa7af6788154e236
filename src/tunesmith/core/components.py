"""All extension points and what is built in, as strings: importing this imports no component."""

from __future__ import annotations

from tunesmith.core.registry import Registry

tasks = Registry(
    "task",
    "tunesmith.tasks",
    {
        "classify": "tunesmith.tasks.classify:Classify",
        "generate": "tunesmith.tasks.generate:Generate",
        "chat": "tunesmith.tasks.chat:Chat",
        "translate": "tunesmith.tasks.translate:Translate",
        "tag": "tunesmith.tasks.tag:Tag",
        "summarise": "tunesmith.tasks.summarise:Summarise",
        "answer": "tunesmith.tasks.answer:Answer",
        "prefer": "tunesmith.tasks.prefer:Prefer",
        "embed": "tunesmith.tasks.embed:Embed",
        "mask": "tunesmith.tasks.mask:Mask",
        "score": "tunesmith.tasks.score:Score",
    },
)
cleaners = Registry(
    "cleaner",
    "tunesmith.cleaners",
    {
        "fix_mojibake": "tunesmith.data.cleaners.mojibake:fix_mojibake",
        "normalise": "tunesmith.data.cleaners.normalise:normalise",
        "convert_chinese": "tunesmith.data.cleaners.chinese:convert_chinese",
        "strip_html": "tunesmith.data.cleaners.html:strip_html",
        "strip_markdown": "tunesmith.data.cleaners.markdown:strip_markdown",
        "strip_boilerplate": "tunesmith.data.cleaners.boilerplate:strip_boilerplate",
        "replace_links": "tunesmith.data.cleaners.links:replace_links",
        "mask_pii": "tunesmith.data.cleaners.pii:mask_pii",
        "filter_profanity": "tunesmith.data.cleaners.profanity:filter_profanity",
        "limit_length": "tunesmith.data.cleaners.lengths:limit_length",
        "keep_languages": "tunesmith.data.cleaners.languages:keep_languages",
        "drop_symbols": "tunesmith.data.cleaners.symbols:drop_symbols",
        "drop_repetitive": "tunesmith.data.cleaners.repetition:drop_repetitive",
        "merge_labels": "tunesmith.data.cleaners.labels:MergeLabels",
        "normalise_labels": "tunesmith.data.cleaners.labels:normalise_labels",
        "drop_unlabelled": "tunesmith.data.cleaners.labels:drop_unlabelled",
        "dedup": "tunesmith.data.dedup:Dedup",
    },
)
augmenters = Registry(
    "augmenter",
    "tunesmith.augmenters",
    {
        "eda": "tunesmith.data.augmenters.eda:eda",
        **{
            name: f"tunesmith.data.augmenters.noise:{name}"
            for name in ("keyboard", "typos", "ocr", "homophones", "glyphs")
        },
        **{
            name: f"tunesmith.data.augmenters.forms:{name}"
            for name in ("case", "punctuation", "width", "script")
        },
        **{name: f"tunesmith.data.augmenters.words:{name}" for name in ("entities", "slots", "templates")},
        "back_translate": "tunesmith.data.augmenters.asked:BackTranslate",
        "paraphrase": "tunesmith.data.augmenters.asked:Paraphrase",
        "fill_masks": "tunesmith.data.augmenters.foreseen:FillMasks",
    },
)
losses = Registry(
    "loss",
    "tunesmith.losses",
    {
        "cross_entropy": "tunesmith.train.losses:cross_entropy",
        "dpo": "tunesmith.train.preferences:dpo",
        "ipo": "tunesmith.train.preferences:ipo",
        "orpo": "tunesmith.train.preferences:orpo",
        "simpo": "tunesmith.train.preferences:simpo",
        "kto": "tunesmith.train.preferences:kto",
        "multiple_negatives": "tunesmith.train.losses:multiple_negatives",
        "cosine": "tunesmith.train.losses:cosine",
        "bce": "tunesmith.train.losses:bce",
        "focal": "tunesmith.train.losses:focal",
        "mse": "tunesmith.train.losses:mse",
        "huber": "tunesmith.train.losses:huber",
        "bradley_terry": "tunesmith.train.losses:bradley_terry",
        "kl": "tunesmith.train.distillation:kl",
    },
)
optimizers = Registry(
    "optimizer",
    "tunesmith.optimizers",
    {
        "adamw": "tunesmith.train.optimizers:adamw",
        "adamw_8bit": "tunesmith.train.optimizers:adamw_8bit",
        "adafactor": "tunesmith.train.optimizers:adafactor",
        "lion": "tunesmith.train.optimizers:lion",
        "muon": "tunesmith.train.optimizers:muon",
        "sgd": "tunesmith.train.optimizers:sgd",
    },
)
schedules = Registry(
    "schedule",
    "tunesmith.schedules",
    {
        "constant": "tunesmith.train.schedules:constant",
        "linear": "tunesmith.train.schedules:linear",
        "cosine": "tunesmith.train.schedules:cosine",
        "wsd": "tunesmith.train.schedules:wsd",
        "one_cycle": "tunesmith.train.schedules:one_cycle",
    },
)
methods = Registry(
    "method",
    "tunesmith.methods",
    {
        name: f"tunesmith.train.methods:{name}"
        for name in ("full", "head", "last_layers", "lora", "rslora", "dora", "ia3", "prompt_tuning")
    },
)
metrics = Registry(
    "metric",
    "tunesmith.metrics",
    {
        "accuracy": "tunesmith.eval.metrics:accuracy",
        "macro_f1": "tunesmith.eval.metrics:macro_f1",
        "micro_f1": "tunesmith.eval.metrics:micro_f1",
        "subset_accuracy": "tunesmith.eval.metrics:subset_accuracy",
        **{
            name: f"tunesmith.eval.labels:{name}"
            for name in (
                "balanced_accuracy",
                "weighted_f1",
                "mcc",
                "log_loss",
                "top_3_accuracy",
                "top_5_accuracy",
                "jaccard",
            )
        },
        "calibration_error": "tunesmith.eval.calibration:calibration_error",
        "roc_auc": "tunesmith.eval.ranking:roc_auc",
        "pr_auc": "tunesmith.eval.ranking:pr_auc",
        "perplexity": "tunesmith.eval.metrics:perplexity",
        "nll_per_row": "tunesmith.eval.metrics:nll_per_row",
        "masked_accuracy": "tunesmith.eval.metrics:masked_accuracy",
        "bleu": "tunesmith.eval.metrics:bleu",
        "chrf": "tunesmith.eval.metrics:chrf",
        "ter": "tunesmith.eval.metrics:ter",
        **{
            name: f"tunesmith.eval.texts:{name}"
            for name in (
                "json_valid",
                "json_field_f1",
                "repetition",
                "distinct_1",
                "distinct_2",
                "length_ratio",
            )
        },
        "entity_overlap_f1": "tunesmith.eval.entities:entity_overlap_f1",
        "entity_f1": "tunesmith.eval.entities:entity_f1",
        "token_accuracy": "tunesmith.eval.entities:token_accuracy",
        "rouge_1": "tunesmith.eval.rouge:rouge_1",
        "rouge_2": "tunesmith.eval.rouge:rouge_2",
        "rouge_l": "tunesmith.eval.rouge:rouge_l",
        "answer_f1": "tunesmith.eval.reading:answer_f1",
        "solved": "tunesmith.eval.suites.solved:solved",
        "exact_match": "tunesmith.eval.reading:exact_match",
        "preference_accuracy": "tunesmith.eval.preferences:preference_accuracy",
        "reward_margin": "tunesmith.eval.preferences:reward_margin",
        "spearman": "tunesmith.eval.scores:spearman",
        "pearson": "tunesmith.eval.scores:pearson",
        "rmse": "tunesmith.eval.scores:rmse",
        "r2": "tunesmith.eval.scores:r2",
        "mae": "tunesmith.eval.scores:mae",
        "recall_at_1": "tunesmith.eval.retrieval:recall_at_1",
        "recall_at_10": "tunesmith.eval.retrieval:recall_at_10",
        "mrr_at_10": "tunesmith.eval.retrieval:mrr_at_10",
        "ndcg_at_10": "tunesmith.eval.retrieval:ndcg_at_10",
    },
)
registries = {
    registry.noun: registry
    for registry in (tasks, cleaners, augmenters, losses, optimizers, schedules, methods, metrics)
}
